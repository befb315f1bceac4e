#pragma once

#include <cstdint>
#include <vector>

#include "support/memory_image.h"
#include "target/mapping.h"

namespace cgo {

/// A process's C heap as glibc 2.36 lays it out, built by hand: a main arena whose heap begins at
/// kHeap, a second arena with one heap, and a thread with a cache of freed blocks.
class GlibcHeapBuilder {
 public:
  static constexpr Address kData{0x7f0000001000}, kArena{0x7f0000001200}, kHeap{0x555555600000},
      kOther{0x7f4000000000}, kThread{0x7f0000100740};
  static constexpr std::uint64_t kDataBytes = 0x2000, kHeapBytes = 0x21000,
                                 kKey = 0x1122334455667788;

  explicit GlibcHeapBuilder(std::uint64_t heap_bytes = kHeapBytes,
                            std::uint64_t other_bytes = kHeapBytes);

  /// Adds a chunk of the main arena, in use; its block's address.
  Address add(std::uint64_t chunk_bytes);
  /// The same of the second arena.
  Address add_to_other(std::uint64_t chunk_bytes);
  /// Puts a block into the thread's cache.
  void free_to_cache(Address block);
  /// Puts a block into a fastbin of the main arena.
  void free_to_fast_bin(Address block);
  /// Marks a block as free, as those in the other bins are.
  void free_to_bin(Address block);
  /// Ends adding.
  MemoryImage& finish();

  MemoryImage& memory() { return memory_; }
  const MappingList& mappings() const { return mappings_; }

 private:
  void write_arena(Address at, Address next, Address top, std::uint64_t system_bytes);
  std::uint64_t size_of(Address block) const;

  MemoryImage memory_;
  MappingList mappings_;
  std::uint64_t heap_bytes_, other_bytes_;
  Address next_, next_other_, cache_;
};

}  // namespace cgo
