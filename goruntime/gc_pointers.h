#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/gc_heap.h"
#include "goruntime/gc_layout.h"
#include "goruntime/gc_type_mask.h"

namespace cgo {

/// Which words of heap objects are pointers, in the words of the garbage collector. Remembers what
/// it read of the span that was asked for last, and the masks of types. For one thread and one
/// stop.
class GcPointers {
 public:
  GcPointers(const MemoryReader& memory, const GcLayout& layout, GoVersion version, Address mheap)
      : memory_(memory), layout_(layout), mheap_(mheap), masks_(memory, version) {}

  /// Appends the offsets from the start of the element, in order, of its pointer words from `from`
  /// on and before `to`; both multiples of 512. Must be asked for one piece after the other. False
  /// when there are none behind `to`. `index`: of the element in its span, which must be allocated.
  Result<bool> offsets(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                       std::uint64_t to, std::vector<std::uint64_t>& out);

  /// The descriptor of the type that the object was allocated as, or that of its elements, where
  /// the heap keeps that: in the header of larger objects since Go 1.22. Nothing for others. From
  /// the descriptors of 1.22 and 1.23, large types with a bit program have one of their own, with
  /// sizes alone.
  Result<std::optional<Address>> type_of(const GcSpan& span, std::uint64_t index) const;

  /// The bytes in front of the value in its element.
  std::uint64_t header_bytes(const GcSpan& span) const;

  TypeMasks& masks() { return masks_; }

 private:
  bool bits_in_span(const GcSpan& span) const;
  Result<void> load_span_bits(const GcSpan& span);
  Result<bool> from_bits(const GcSpan& span, std::uint64_t index, std::uint64_t to,
                         std::vector<std::uint64_t>& out) const;
  Result<bool> from_type(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                         std::uint64_t to, std::vector<std::uint64_t>& out);
  Result<bool> from_arena(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                          std::uint64_t to, std::vector<std::uint64_t>& out);
  Result<void> load_arena_bits(Address begin, Address end);
  Result<void> load_piece(Address begin, std::uint64_t words);
  Result<Address> arena_of(Address address);

  const MemoryReader& memory_;
  const GcLayout& layout_;
  Address mheap_;
  TypeMasks masks_;

  Address loaded_;                   // The span whose bits are here.
  std::vector<std::uint64_t> bits_;  // One for each word from `bits_begin_` on.
  std::vector<std::uint64_t> ends_;  // For each word: nothing behind it is a pointer.
  Address bits_begin_, bits_end_;
  std::vector<std::byte> raw_;
  std::optional<std::uint64_t> arena_number_;
  Address arena_;
};

}  // namespace cgo
