#pragma once

#include <cstdint>
#include <optional>

#include "goruntime/gc_layout.h"
#include "target/byte_view.h"
#include "target/memory_reader.h"

namespace cgo {

/// A run of pages of the Go heap that is cut into elements of one size, or used by the runtime.
struct HeapSpan {
  /// Source: src/runtime/mheap.go, mSpanDead and following; the same in 1.19 to 1.27.
  enum class State : std::uint8_t { dead = 0, in_use = 1, manual = 2 };
  Address address;  ///< Of the runtime.mspan.
  AddressRange range;
  State state = State::dead;
  /// Manual spans have a size of elements where they are cut into stacks.
  std::uint64_t element_bytes = 0, element_count = 0, free_index = 0;
  Address alloc_bits;
  std::uint64_t header_bytes = 0;  ///< In front of each object, of its element.
};

/// One element of a span in use.
struct HeapObject {
  AddressRange range;
  bool allocated = false;  ///< False: free since the last sweep, or never used.
};

/// Finds what of the Go heap an address is in. Reads a few words for each answer and remembers
/// nothing. Source: src/runtime/mheap.go (spanOf, arenaIndex), mbitmap.go (isFree).
class HeapSpans {
 public:
  /// `mheap`: the address of runtime.mheap_.
  HeapSpans(const GcLayout& layout, Address mheap) : layout_(layout), mheap_(mheap) {}

  /// The span that holds `address`; nothing when it is not in the heap. malformed_data when the
  /// span found there does not hold it.
  Result<std::optional<HeapSpan>> span_at(const MemoryReader& memory, Address address) const;
  /// Whether the Go heap reaches over `address`, be it in a span or not.
  bool reserved(const MemoryReader& memory, Address address) const;
  /// The element of `span` that holds `address`; nothing behind the last one, and for spans that
  /// hold no objects.
  Result<std::optional<HeapObject>> object_at(const MemoryReader& memory, const HeapSpan& span,
                                              Address address) const;

 private:
  std::uint64_t header_bytes(ByteView span, std::uint64_t element_bytes) const;
  Result<Address> arena_of(const MemoryReader& memory, Address address) const;

  GcLayout layout_;
  Address mheap_;
};

}  // namespace cgo
