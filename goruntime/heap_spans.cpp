#include "goruntime/heap_spans.h"

#include <string>

#include "target/byte_view.h"

namespace cgo {
namespace {

// amd64: 64 MB of address space an arena, 8 KB a page, addresses counted from the lowest canonical.
constexpr std::uint64_t kArenaBase = 0x800000000000, kArenaBytes = 64u << 20, kPageBytes = 8192;
constexpr std::uint64_t kArenas = 1u << 22;
constexpr std::uint64_t kMostElementBytes = std::uint64_t{1} << 40;

}  // namespace

/// The runtime.heapArena for an address; 0 where the heap has none.
Result<Address> HeapSpans::arena_of(const MemoryReader& memory, Address address) const {
  const std::uint64_t from_base = address.value + kArenaBase;  // Wraps for the upper half.
  const std::uint64_t arena = from_base / kArenaBytes;
  if (arena >= kArenas) return Address{};
  auto arenas = read_pointer(memory, wrapping_add(mheap_, layout_.arenas.bytes));
  if (!arenas) return std::move(arenas).error().in("runtime.mheap_.arenas");
  if (!*arenas) return Address{};
  // The list of arenas is reserved, not all of it is in a core.
  return read_pointer(memory, wrapping_add(*arenas, arena * 8)).value_or(Address{});
}

bool HeapSpans::reserved(const MemoryReader& memory, Address address) const {
  return arena_of(memory, address).value_or(Address{}).value != 0;
}

/// Source: src/runtime/mbitmap.go, heapBitsInSpan, and msize.go (1.22 to 1.27): objects with
/// pointers that are larger have a header with their type. Large ones have a span of their own.
std::uint64_t HeapSpans::header_bytes(ByteView span, std::uint64_t element_bytes) const {
  constexpr std::uint64_t kMostWithout = 512;
  if (layout_.heap_bits != GcLayout::HeapBits::headers || element_bytes <= kMostWithout) return 0;
  const auto span_class = load<std::uint8_t>(span, layout_.span_class.bytes).value_or(1);
  const bool without_pointers = (span_class & 1) != 0, is_large = span_class >> 1 == 0;
  return without_pointers || is_large ? 0 : 8;
}

Result<std::optional<HeapSpan>> HeapSpans::span_at(const MemoryReader& memory,
                                                   Address address) const {
  auto heap_arena = arena_of(memory, address);
  if (!heap_arena) return std::move(heap_arena).error();
  if (!*heap_arena) return std::optional<HeapSpan>{};
  const std::uint64_t page = address.value / kPageBytes % (kArenaBytes / kPageBytes);
  auto span = read_pointer(memory, wrapping_add(*heap_arena, layout_.arena_spans.bytes + page * 8));
  if (!span) return std::move(span).error().in("runtime.heapArena.spans");
  if (!*span) return std::optional<HeapSpan>{};
  auto bytes = read_bytes(memory, *span, layout_.span_bytes, 4096);
  if (!bytes) return std::move(bytes).error().in("runtime.mspan");
  const auto word = [&](FieldOffset field) {
    return load<std::uint64_t>(*bytes, field.bytes).value_or(0);
  };
  const auto count = [&](FieldOffset field) -> std::uint64_t {
    return layout_.index_bytes == 2 ? load<std::uint16_t>(*bytes, field.bytes).value_or(0)
                                    : word(field);
  };
  HeapSpan found{.address = *span};
  const std::uint64_t pages = word(layout_.pages);
  const auto end = checked_add({word(layout_.start)}, pages * kPageBytes);
  if (pages > (std::uint64_t{1} << 35) || !end)
    return Error{ErrorCode::malformed_data, "the mspan at " + hex(*span) + " has no sensible size",
                 *span};
  found.range = {{word(layout_.start)}, *end};
  found.state =
      static_cast<HeapSpan::State>(load<std::uint8_t>(*bytes, layout_.state.bytes).value_or(0));
  found.element_bytes = word(layout_.element_bytes);
  found.element_count = count(layout_.elements);
  found.free_index = count(layout_.free_index);
  found.alloc_bits = {word(layout_.alloc_bits)};
  found.header_bytes = header_bytes(*bytes, found.element_bytes);
  // A page of a dead span keeps a pointer to it.
  if (found.state == HeapSpan::State::dead) return std::optional<HeapSpan>{};
  if (!found.range.contains(address))
    return Error{ErrorCode::malformed_data,
                 "the mspan at " + hex(*span) + " does not hold " + hex(address), *span};
  return std::optional(found);
}

Result<std::optional<HeapObject>> HeapSpans::object_at(const MemoryReader& memory,
                                                       const HeapSpan& span,
                                                       Address address) const {
  if (span.state != HeapSpan::State::in_use || !span.range.contains(address) ||
      span.element_bytes == 0 || span.element_bytes > kMostElementBytes)
    return std::optional<HeapObject>{};
  const std::uint64_t index = (address.value - span.range.begin.value) / span.element_bytes;
  if (index >= span.element_count) return std::optional<HeapObject>{};
  HeapObject object;
  const Address element{span.range.begin.value + index * span.element_bytes};
  object.range = {wrapping_add(element, span.header_bytes),
                  wrapping_add(element, span.element_bytes)};
  if (address < object.range.begin) return std::optional<HeapObject>{};
  object.allocated = index < span.free_index;
  if (!object.allocated) {
    auto bits = read_unsigned<std::uint8_t>(memory, wrapping_add(span.alloc_bits, index / 8));
    if (!bits) return std::move(bits).error().in("runtime.mspan.allocBits");
    object.allocated = *bits >> index % 8 & 1;
  }
  return std::optional(object);
}

}  // namespace cgo
