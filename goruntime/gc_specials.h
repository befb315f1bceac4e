#pragma once

#include <cstdint>
#include <vector>

#include "goruntime/gc_heap.h"
#include "goruntime/gc_layout.h"

namespace cgo {

/// A record that the runtime keeps beside an object, in memory of its own.
struct GcSpecial {
  SpecialKind kind = SpecialKind::other;
  std::uint64_t object = 0;  ///< Its number in the GcHeap.
  Address value;             ///< What was asked for: it may be an inner one of the object.
  Address record;            ///< Of the runtime.special.
  /// Words of the record that keep other objects alive: of a finalizer its function, of a cleanup
  /// its function and argument, of a weak pointer the handle that the program holds. Empty for
  /// others.
  AddressRange roots;
};

/// All of them, by address of their objects. Those that cannot be read are in `problems`.
struct GcSpecials {
  std::vector<GcSpecial> found;
  std::vector<Error> problems;
};
GcSpecials read_specials(const MemoryReader& memory, const GcLayout& layout, GoVersion version,
                         const GcHeap& heap);

/// How often each pinned object is pinned, by runtime.Pinner: 1, or 2 and more.
/// Source: src/runtime/pinner.go, pinnerBits: two bits an object, and a counter for more than two.
struct PinnedObject {
  std::uint64_t object = 0;
  std::uint64_t times = 0;
};
Result<std::vector<PinnedObject>> read_pins(const MemoryReader& memory, const GcLayout& layout,
                                            const GcHeap& heap, const GcSpecials& specials);

}  // namespace cgo
