#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "target/memory_reader.h"

namespace cgo {

/// A run of malloc's chunks, each behind the one before.
struct ChunkRegion {
  AddressRange range;  ///< From the first chunk to the end of the memory they were cut from.
  Address top;         ///< The arena's top chunk where it lies here; 0 elsewhere.
  bool main = false;   ///< Of the main arena.
};

/// A chunk as its own header and the one behind it describe it. A chunk in a list of recently freed
/// ones looks in use here.
struct Chunk {
  enum class Kind : std::uint8_t {
    in_use,
    free,
    top,    ///< All that is left of the region.
    fence,  ///< Ends a region that could not grow; holds nothing.
  };
  Address at;
  std::uint64_t bytes = 0;  ///< To the next chunk.
  Kind kind = Kind::in_use;

  /// What malloc gave out: it begins behind the header and reaches over the next chunk's first
  /// word.
  AddressRange block() const { return {{at.value + 16}, {at.value + bytes + 8}}; }
};

/// Goes from chunk to chunk and believes none that its neighbours contradict. Reads ahead; each
/// step costs a few loads. Does not look into lists of free chunks. Source: glibc malloc/malloc.c,
/// struct malloc_chunk and sysmalloc.
class ChunkWalk {
 public:
  /// From the chunk at `from`, which must be one of `region`.
  ChunkWalk(const MemoryReader& memory, const ChunkRegion& region, Address from)
      : memory_(memory), region_(region), next_(from) {}

  /// The next chunk; nothing behind the last. Where the chunks do not fit together: malformed_data
  /// with the address of the header that is wrong. It stays at what it could not read.
  Result<std::optional<Chunk>> next();
  /// The chunk that next() will give.
  Address position() const { return next_; }

 private:
  Result<std::uint64_t> word(Address at);
  Result<void> fill(Address at);
  Error damaged(Address at, const char* what) const;
  Result<Chunk> last_chunk(std::uint64_t size);
  Result<std::optional<Chunk>> fence(std::uint64_t size);

  const MemoryReader& memory_;
  const ChunkRegion region_;
  Address next_;
  bool ended_ = false;
  Address window_begin_;
  std::vector<std::byte> window_;
  std::size_t window_bytes_ = 2048;
};

}  // namespace cgo
