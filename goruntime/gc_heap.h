#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "goruntime/bit_set.h"
#include "goruntime/gc_layout.h"
#include "target/memory_reader.h"

namespace cgo {

/// Whether what a span says of its objects is of now. Source: src/runtime/mheap.go, mspan.sweepgen.
enum class SweepState : std::uint8_t {
  swept,
  unswept,    ///< What the last collection did not mark is free, whatever allocBits says.
  in_sweep,   ///< Half done: which of its objects are free cannot be told in all cases.
  undefined,  ///< A number that the runtime never leaves there.
};

/// A run of pages that holds Go objects of one size.
struct GcSpan {
  Address mspan, base;
  std::uint64_t pages = 0, element_bytes = 0;
  std::uint32_t elements = 0;
  /// The number of its first object; those of the others follow. A multiple of 64.
  std::uint64_t first_object = 0;
  std::uint8_t span_class = 0;  ///< As the runtime numbers them: size class times two, plus noscan.
  bool user_arena = false;      ///< A chunk of package arena: one element, freed as a whole.
  SweepState sweep = SweepState::swept;
  Address large_type, specials, pinner_bits;

  bool without_pointers() const { return (span_class & 1) != 0; }
  bool large() const { return span_class >> 1 == 0; }
  AddressRange range() const { return {base, {base.value + pages * 8192}}; }
};

/// All spans with Go objects, and which of their elements are objects, at one stop. An object is
/// known by its number; numbers are dense but for a few that no element has. Keeps a few bits an
/// element and four bytes a page. Nothing in it refers to the debuggee's memory later.
class GcHeap {
 public:
  enum class Marks : std::uint8_t { where_needed, all };

  /// Fails when the list of spans cannot be read; spans that cannot be, or that contradict
  /// themselves, are left out and named in `problems`. `mheap`: the address of runtime.mheap_.
  static Result<GcHeap> read(const MemoryReader& memory, const GcLayout& layout, Address mheap,
                             Marks marks = Marks::where_needed);

  /// By address.
  std::span<const GcSpan> spans() const { return spans_; }
  /// One more than the largest number of an object.
  std::uint64_t object_limit() const { return object_limit_; }

  /// The span with objects that holds `address`, or null.
  const GcSpan* span_at(Address address) const;
  /// The element that holds `address`, allocated or not; nothing outside of all elements.
  std::optional<std::uint64_t> element_at(Address address) const;
  /// The same, when it is an object now: allocated and not yet found dead.
  std::optional<std::uint64_t> object_at(Address address) const {
    const auto element = element_at(address);
    return element && allocated_.test(*element) ? element : std::nullopt;
  }
  /// The span of an object, which must be below object_limit(); null for an unused number.
  const GcSpan* span_of(std::uint64_t object) const;
  /// Where its element lies, with the header that larger objects have before their value.
  AddressRange element(std::uint64_t object) const;

  bool allocated(std::uint64_t object) const { return allocated_.test(object); }
  const BitSet& allocated() const { return allocated_; }
  /// What the collector has marked, of spans that are swept meaningful until the sweep begins
  /// alone: from the mark termination to the entry of runtime.gcSweep. Empty unless all were asked
  /// for.
  const BitSet& marked() const { return marked_; }
  /// An object that a finalizer will be run for is alive, though it was not marked.
  void revive(std::uint64_t object) { allocated_.set(object); }

  std::uint64_t heap_bytes() const { return heap_bytes_; }  ///< Of the pages of all spans.
  std::uint32_t sweepgen() const { return sweepgen_; }
  /// Spans whose free objects were told by their marks, and those for which it cannot be told.
  std::uint64_t unswept_spans() const { return unswept_spans_; }
  std::uint64_t uncertain_spans() const { return uncertain_spans_; }
  /// What is missing, the first few in words.
  std::span<const Error> problems() const { return problems_; }
  std::uint64_t lost_spans() const { return lost_spans_; }

 private:
  friend class GcHeapReader;
  /// 4 MB of the address space.
  static constexpr std::uint64_t kChunkPages = 512;
  struct Chunk {
    std::uint64_t number = 0;
    std::array<std::uint32_t, kChunkPages> spans{};  // By page: the index of its span plus one.
  };
  const Chunk* chunk(std::uint64_t number) const;

  std::vector<GcSpan> spans_;
  std::vector<Chunk> chunks_;               // By number; without the pages of wide spans.
  std::vector<std::uint32_t> chunk_slots_;  // From the first number on: the index plus one.
  std::vector<std::uint32_t> wide_;         // Spans larger than a chunk, by address.
  BitSet allocated_, marked_;
  std::uint64_t object_limit_ = 0, heap_bytes_ = 0;
  std::uint64_t unswept_spans_ = 0, uncertain_spans_ = 0, lost_spans_ = 0;
  std::uint32_t sweepgen_ = 0;
  std::vector<Error> problems_;
};

/// Calls visit(span, index of the element) for each of these objects, by address: GcHeap's
/// allocated(), or those that were reached. The order in which their memory is read fastest.
template <class Visit>
void each_object(const GcHeap& heap, const BitSet& objects, Visit&& visit) {
  for (const GcSpan& span : heap.spans())
    for (std::uint64_t i = 0; i < span.elements; i += 64)
      for (std::uint64_t bits = objects.word(span.first_object + i); bits != 0; bits &= bits - 1)
        visit(span, i + static_cast<unsigned>(std::countr_zero(bits)));
}

}  // namespace cgo
