#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "heap/glibc_layout.h"
#include "target/memory_reader.h"

namespace cgo {

/// A struct malloc_state whose fields belong together.
struct Arena {
  Address address;
  bool main = false;
  bool locked = false;     ///< A thread was changing it.
  bool contiguous = true;  ///< The main arena: all of its memory lies behind one another.
  Address top;             ///< The chunk at the end, from which new ones are cut; 0 before any.
  std::uint64_t system_bytes = 0;  ///< What it has from the system.
  Address next;                    ///< The arenas are a ring.
  std::array<Address, 10> fast_bins{};
};

/// The header of a heap of an arena that is not the main one (struct _heap_info).
struct HeapInfo {
  Address address;
  Address arena;
  Address previous;  ///< The heap this arena had before; 0 for the first.
  std::uint64_t bytes = 0;
};

/// Each heap lies at a multiple of this. Source: glibc malloc/arena.c, HEAP_MAX_SIZE.
inline constexpr std::uint64_t kHeapAlignment = 64u << 20;
inline constexpr std::uint64_t kArenaBytes = 0x898;

/// Reads the arena at `at`; malformed_data unless all of its fields can be those of one.
Result<Arena> decode_arena(const MemoryReader& memory, Address at);

/// The only address in `range`, a C library's variables, where a main arena can lie; not_found when
/// there is none or malloc was not used yet, malformed_data when there are several.
Result<Address> find_main_arena(const MemoryReader& memory, AddressRange range);

/// The heap that would hold `address`; malformed_data when none begins there.
Result<HeapInfo> decode_heap_info(const MemoryReader& memory, const GlibcLayout& layout,
                                  Address address);

/// All arenas, the main one first. A ring that is damaged ends with its valid part and the reason.
struct Arenas {
  std::vector<Arena> found;
  std::optional<Error> error;
};
Arenas read_arenas(const MemoryReader& memory, const GlibcLayout& layout, Address main);

}  // namespace cgo
