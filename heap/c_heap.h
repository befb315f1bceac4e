#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "heap/arena.h"
#include "heap/chunk_walk.h"
#include "heap/free_lists.h"
#include "heap/glibc_layout.h"
#include "target/mapping.h"
#include "target/memory_reader.h"

namespace cgo {

/// What an address of the C heap is.
struct CHeapPlace {
  enum class Kind : std::uint8_t {
    live,    ///< In a block that malloc gave out.
    freed,   ///< In a block that was given back, and maybe joined with others that were.
    unused,  ///< In memory that malloc has from the system and did not give out yet, or not again.
    allocator,  ///< In what malloc keeps for itself.
    unknown,    ///< `reason` says why nothing more can be said.
  };
  Kind kind = Kind::unknown;
  AddressRange block;  ///< What the program may or might use; empty where it is not known.
  std::string reason;
};

/// The heap of one GNU C library, read from its memory: what malloc itself uses, without records
/// of who called it. Walks lazily and keeps where it was: made for one stop. Not thread-safe. Knows
/// no other allocator: where the program uses one, its memory is not found here.
class CHeap {
 public:
  struct Parts {
    const MemoryReader* memory = nullptr;
    const MappingList* mappings = nullptr;  ///< May be null: blocks with mappings of their own are
                                            ///< not found then.
    GlibcLayout layout;
    Address main_arena;
    std::vector<Address> thread_pointers;
    bool every_thread = false;  ///< `thread_pointers` are those of all threads.
    /// Where something else ends that can share a mapping with the heap: a program's variables, a
    /// thread's stack.
    std::vector<Address> neighbours;
    std::uint64_t most_chunks = 8'000'000;  ///< Of one region; what lies behind is not looked at.
  };
  explicit CHeap(Parts parts);
  ~CHeap();

  /// Nothing for an address that is not in the heap.
  std::optional<CHeapPlace> find(Address address);

  /// What a census looked at, and what it could not see; no gaps where it saw every block.
  struct Census {
    std::vector<std::string> gaps;  ///< One sentence each.
    /// The memory that the heap takes.
    std::vector<AddressRange> ranges;
  };
  /// Visits every block: live, freed, and unknown ones with the reason; those of one region by
  /// rising address. `elsewhere` are mappings or parts of them, by rising address, that are known
  /// to hold no heap of C and are not looked at. Costs some ten nanoseconds a block.
  Census for_each_block(std::span<const AddressRange> elsewhere,
                        const std::function<void(const CHeapPlace&)>& visit);

 private:
  struct Region {
    ChunkRegion chunks;
    Address begin;  // Of the memory, with what malloc keeps in front of the first chunk.
    std::vector<Address> marks;  // Every kChunksPerMark-th chunk, rising.
    Address walked_to;           // Chunks before this one fit together.
    std::optional<Error> damage;
    bool locked = false, too_many = false;
  };
  void find_main_region();
  void find_region_with_damaged_top(Address end, const std::vector<Address>& begins);
  Region* region_of(Address address);
  Region* heap_region(Address address);
  Region* extra_main_region(Address address);
  Region* known_region(Address address) const;
  void find_all_regions(Census& census);
  void visit_region(Region& region, const std::function<void(const CHeapPlace&)>& visit,
                    Census& census);
  void find_extra_regions(const Mapping& mapping);
  void find_extra_regions(const Mapping& mapping, Address at);
  void add_main_region(const ChunkRegion& chunks, Address begin);
  bool in_known_region(Address address) const;
  std::optional<Address> fence_of(const ChunkRegion& region) const;
  Address first_behind_regions(AddressRange mapping, Address address) const;
  CHeapPlace in_region(Region& region, Address address);
  CHeapPlace of_chunk(const Region& region, const Chunk& chunk, Address address);
  const FreeLists& free_lists();

  Parts parts_;
  Arenas arenas_;
  std::vector<std::unique_ptr<Region>> regions_;
  std::set<Address> searched_;  // Mappings, for regions of the main arena.
  std::unique_ptr<const FreeLists> free_lists_;
};

}  // namespace cgo
