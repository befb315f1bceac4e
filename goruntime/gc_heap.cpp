#include "goruntime/gc_heap.h"

#include <algorithm>
#include <limits>

#include "goruntime/block_reader.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: src/runtime/malloc.go; amd64.
constexpr std::uint64_t kPageBytes = 8192;
constexpr std::uint64_t kMostSpans = 1u << 27, kMostPages = std::uint64_t{1} << 34;
constexpr std::uint64_t kHighestAddress = std::uint64_t{1} << 47;
constexpr std::uint8_t kInUse = 1;
constexpr std::size_t kMostProblems = 20;

// Source: src/runtime/mgcmark_greenteagc.go, type spanInlineMarkBits and
// gcUsesSpanInlineMarkBits, Go 1.25 to 1.27.
constexpr std::uint64_t kInlineMarksOffset = 8192 - 128 + 64, kInlineMarksBytes = 63;
constexpr std::size_t kSpansAtOnce = 4096;
constexpr std::uint64_t kLeastInline = 16, kMostInline = 512;

/// How far apart two mspans may lie to be read at once, and how much is.
constexpr std::uint64_t kLargestGap = 4096, kLargestRun = 256 * 1024;

SweepState sweep_state(std::uint32_t span, std::uint32_t heap) {
  switch (span - heap) {
    case 0:
    case 3:
      return SweepState::swept;
    case 1:
    case ~std::uint32_t{1}:  // -2
      return SweepState::unswept;
    case ~std::uint32_t{0}:  // -1
      return SweepState::in_sweep;
    default:
      return SweepState::undefined;
  }
}

}  // namespace

class GcHeapReader {
 public:
  GcHeapReader(const MemoryReader& memory, const GcLayout& layout, GcHeap::Marks marks)
      : memory_(memory), layout_(layout), marks_(marks), bits_reader_(memory) {}

  Result<GcHeap> read(Address mheap) {
    auto sweepgen =
        read_unsigned<std::uint32_t>(memory_, wrapping_add(mheap, layout_.sweepgen.bytes));
    if (!sweepgen) return std::move(sweepgen).error().in("runtime.mheap_.sweepgen");
    heap_.sweepgen_ = *sweepgen;
    auto list = span_list(mheap);
    if (!list) return std::move(list).error().in("runtime.mheap_.allspans");
    std::sort(list->begin(), list->end());
    for (std::size_t first = 0; first < list->size();) {
      std::size_t end = first + 1;
      while (end < list->size() && (*list)[end] - (*list)[end - 1] <= kLargestGap &&
             (*list)[end] - (*list)[first] <= kLargestRun)
        ++end;
      read_run(std::span(*list).subspan(first, end - first));
      first = end;
    }
    arrange();
    read_bits();
    return std::move(heap_);
  }

 private:
  struct Bits {
    Address alloc, marks;
    std::uint64_t free_index = 0;
  };

  Result<std::vector<std::uint64_t>> span_list(Address mheap) const {
    const Address slice = wrapping_add(mheap, layout_.allspans.bytes);
    auto data = read_pointer(memory_, slice);
    if (!data) return std::move(data).error();
    auto length = read_unsigned<std::uint64_t>(memory_, wrapping_add(slice, 8));
    if (!length) return std::move(length).error();
    if (*length > kMostSpans)
      return Error{ErrorCode::malformed_data, "absurd length " + std::to_string(*length), slice};
    auto bytes = read_bytes(memory_, *data, *length * 8, kMostSpans * 8);
    if (!bytes) return std::move(bytes).error();
    std::vector<std::uint64_t> out(*length);
    std::memcpy(out.data(), bytes->data(), bytes->size());
    return out;
  }

  void problem(Error error) {
    ++heap_.lost_spans_;
    if (heap_.problems_.size() < kMostProblems) heap_.problems_.push_back(std::move(error));
  }

  void read_run(std::span<const std::uint64_t> spans) {
    const std::uint64_t bytes = spans.back() - spans.front() + layout_.span_bytes;
    buffer_.resize(bytes);
    const bool whole = memory_.read({spans.front()}, buffer_).has_value();
    std::vector<std::byte> one(layout_.span_bytes);
    for (const std::uint64_t span : spans) {
      if (whole) {
        add({span}, ByteView(buffer_).subspan(span - spans.front(), layout_.span_bytes));
        continue;
      }
      auto done = memory_.read({span}, one);
      if (done)
        add({span}, one);
      else
        problem(std::move(done).error().in("runtime.mspan"));
    }
  }

  std::uint64_t word(ByteView span, FieldOffset field) const {
    return load<std::uint64_t>(span, field.bytes).value_or(0);
  }
  Address pointer(ByteView span, OptionalField field) const {
    return field ? Address{word(span, *field)} : Address{};
  }
  std::uint64_t index(ByteView span, FieldOffset field) const {
    return layout_.index_bytes == 2 ? load<std::uint16_t>(span, field.bytes).value_or(0)
                                    : word(span, field);
  }

  void add(Address mspan, ByteView bytes) {
    if (load<std::uint8_t>(bytes, layout_.state.bytes) != kInUse) return;
    GcSpan span{.mspan = mspan,
                .base = {word(bytes, layout_.start)},
                .pages = word(bytes, layout_.pages),
                .element_bytes = word(bytes, layout_.element_bytes),
                .span_class = load<std::uint8_t>(bytes, layout_.span_class.bytes).value_or(1),
                .large_type = pointer(bytes, layout_.large_type),
                .specials = {word(bytes, layout_.specials)},
                .pinner_bits = pointer(bytes, layout_.pinner_bits)};
    const std::uint64_t elements = index(bytes, layout_.elements);
    span.user_arena =
        layout_.user_arena && load<std::uint8_t>(bytes, layout_.user_arena->bytes) != 0;
    span.sweep = sweep_state(load<std::uint32_t>(bytes, layout_.span_sweepgen.bytes).value_or(0),
                             heap_.sweepgen_);
    const bool sane = span.base.value != 0 && span.base.value % kPageBytes == 0 &&
                      span.base.value < kHighestAddress && span.pages != 0 &&
                      span.pages < kMostPages && span.element_bytes >= 8 &&
                      span.element_bytes % 8 == 0 && elements != 0 &&
                      elements <= span.pages * kPageBytes / span.element_bytes;
    if (!sane)
      return problem(
          {ErrorCode::malformed_data, "the mspan at " + hex(mspan) + " contradicts itself", mspan});
    span.elements = static_cast<std::uint32_t>(std::min<std::uint64_t>(elements, ~0u));
    span.first_object = bits_.size();  // For now: where its bits are kept.
    bits_.push_back({.alloc = {word(bytes, layout_.alloc_bits)},
                     .marks = {word(bytes, layout_.mark_bits)},
                     .free_index = index(bytes, layout_.free_index)});
    heap_.spans_.push_back(span);
  }

  /// Orders the spans, drops those that lie in others, and numbers objects.
  void arrange() {
    auto& spans = heap_.spans_;
    std::sort(spans.begin(), spans.end(),
              [](const GcSpan& a, const GcSpan& b) { return a.base < b.base; });
    Address end;
    std::vector<Bits> bits;
    std::erase_if(spans, [&](GcSpan& span) {
      if (span.base < end) {
        problem({ErrorCode::malformed_data,
                 "the mspan at " + hex(span.mspan) + " lies in another one", span.mspan});
        return true;
      }
      end = span.range().end;
      bits.push_back(bits_[span.first_object]);
      span.first_object = heap_.object_limit_;
      heap_.object_limit_ += (std::uint64_t{span.elements} + 63) / 64 * 64;
      heap_.heap_bytes_ += span.pages * kPageBytes;
      return false;
    });
    bits_ = std::move(bits);
    for (std::size_t i = 0; i < spans.size(); ++i) note_pages(static_cast<std::uint32_t>(i));
    note_chunks();
  }

  void note_pages(std::uint32_t index) {
    const GcSpan& span = heap_.spans_[index];
    if (span.pages > GcHeap::kChunkPages) return heap_.wide_.push_back(index);
    const std::uint64_t first = span.base.value / kPageBytes;
    for (std::uint64_t page = first; page < first + span.pages; ++page) {
      const std::uint64_t number = page / GcHeap::kChunkPages;
      if (heap_.chunks_.empty() || heap_.chunks_.back().number != number)
        heap_.chunks_.push_back({.number = number});
      heap_.chunks_.back().spans[page % GcHeap::kChunkPages] = index + 1;
    }
  }

  /// Heaps that are not scattered over the address space find their chunks without a search.
  void note_chunks() {
    if (heap_.chunks_.empty()) return;
    const std::uint64_t first = heap_.chunks_.front().number;
    const std::uint64_t slots = heap_.chunks_.back().number - first + 1;
    if (slots > 1024 + 64 * heap_.chunks_.size()) return;
    heap_.chunk_slots_.resize(slots);
    for (std::size_t i = 0; i < heap_.chunks_.size(); ++i)
      heap_.chunk_slots_[heap_.chunks_[i].number - first] = static_cast<std::uint32_t>(i + 1);
  }

  void read_bits() {
    heap_.allocated_ = BitSet(heap_.object_limit_);
    if (marks_ == GcHeap::Marks::all) heap_.marked_ = BitSet(heap_.object_limit_);
    for (std::size_t i = 0; i < heap_.spans_.size(); ++i) {
      if (i % kSpansAtOnce == 0) read_inline_marks(i);
      auto done = read_bits_of(heap_.spans_[i], bits_[i]);
      // Without them none of its elements counts as an object.
      if (!done)
        problem(
            std::move(done).error().in("the bits of the mspan at " + hex(heap_.spans_[i].mspan)));
    }
  }

  bool needs_marks(const GcSpan& span) const {
    return marks_ == GcHeap::Marks::all || span.sweep == SweepState::unswept ||
           span.sweep == SweepState::in_sweep;
  }

  /// They lie at the end of each span: for the next ones at once.
  void read_inline_marks(std::size_t first) {
    const std::size_t end = std::min(heap_.spans_.size(), first + kSpansAtOnce);
    inline_marks_.assign((end - first) * kInlineMarksBytes, std::byte{0});
    inline_pieces_.clear();
    for (std::size_t i = first; i < end; ++i) {
      const GcSpan& span = heap_.spans_[i];
      const bool wanted = inline_marks(span) && needs_marks(span);
      const auto out = std::span(inline_marks_).subspan((i - first) * kInlineMarksBytes);
      inline_pieces_.push_back({.from = wrapping_add(span.base, kInlineMarksOffset),
                                .out = out.first(wanted ? kInlineMarksBytes : 0),
                                .read = !wanted});
    }
    memory_.read_each(inline_pieces_);
  }

  bool inline_marks(const GcSpan& span) const {
    return layout_.inline_marks && span.element_bytes >= kLeastInline &&
           span.element_bytes <= kMostInline;
  }

  /// `words` are 64 bits each; those behind the last element become 0.
  Result<void> read_words(Address at, std::uint64_t most_bytes, const GcSpan& span,
                          std::vector<std::uint64_t>& words) {
    const std::uint64_t bytes = std::min<std::uint64_t>((span.elements + 7ull) / 8, most_bytes);
    words.assign((span.elements + 63ull) / 64, 0);
    auto done = bits_reader_.read(at, std::as_writable_bytes(std::span(words)).first(bytes));
    if (!done) return done;
    if (span.elements % 64 != 0) words.back() &= ~(~std::uint64_t{0} << span.elements % 64);
    return {};
  }

  Result<void> read_marks(const GcSpan& span, const Bits& bits) {
    auto done = read_words(bits.marks, ~std::uint64_t{0}, span, mark_words_);
    if (!done || !inline_marks(span)) return done;
    // The sweep moves marks from the one place to the other.
    const auto number = static_cast<std::size_t>(&span - heap_.spans_.data());
    const MemoryPiece& piece = inline_pieces_[number % kSpansAtOnce];
    if (!piece.read) return unreadable(piece.from, piece.out.size(), piece.from);
    more_words_.assign(mark_words_.size(), 0);
    const std::size_t bytes = std::min<std::size_t>((span.elements + 7ull) / 8, piece.out.size());
    std::memcpy(more_words_.data(), piece.out.data(), bytes);
    if (span.elements % 64 != 0) more_words_.back() &= ~(~std::uint64_t{0} << span.elements % 64);
    for (std::size_t i = 0; i < mark_words_.size(); ++i) mark_words_[i] |= more_words_[i];
    return {};
  }

  /// Source: src/runtime/mbitmap.go, isFree. freeIndexForScan, which the collector asks for words
  /// that may be pointers, does not tell: objects made while it marks are behind it.
  Result<void> read_bits_of(const GcSpan& span, const Bits& bits) {
    auto done = read_words(bits.alloc, ~std::uint64_t{0}, span, alloc_words_);
    if (!done) return done;
    const std::uint64_t used = std::min<std::uint64_t>(bits.free_index, span.elements);
    for (std::uint64_t i = 0; i < used / 64; ++i) alloc_words_[i] = ~std::uint64_t{0};
    if (used % 64 != 0) alloc_words_[used / 64] |= ~(~std::uint64_t{0} << used % 64);
    if (needs_marks(span)) {
      done = read_marks(span, bits);
      if (!done) return done;
    }
    apply_sweep(span, bits);
    for (std::size_t i = 0; i < alloc_words_.size(); ++i) {
      heap_.allocated_.word(span.first_object + i * 64) = alloc_words_[i];
      if (marks_ == GcHeap::Marks::all)
        heap_.marked_.word(span.first_object + i * 64) = mark_words_[i];
    }
    return {};
  }

  /// Source: src/runtime/mgcsweep.go, sweepLocked.sweep: the marks become the allocBits at once,
  /// with freeindex 0 and marks of zero; the sweepgen follows later.
  void apply_sweep(const GcSpan& span, const Bits& bits) {
    if (span.sweep == SweepState::undefined) ++heap_.uncertain_spans_;
    if (span.sweep != SweepState::unswept && span.sweep != SweepState::in_sweep) return;
    ++heap_.unswept_spans_;
    if (span.sweep == SweepState::in_sweep) {
      const bool unmarked = std::all_of(mark_words_.begin(), mark_words_.end(),
                                        [](std::uint64_t word) { return word == 0; });
      if (unmarked && bits.free_index == 0) {
        ++heap_.uncertain_spans_;
        return;
      }
    }
    for (std::size_t i = 0; i < alloc_words_.size(); ++i) alloc_words_[i] &= mark_words_[i];
  }

  const MemoryReader& memory_;
  const GcLayout& layout_;
  GcHeap::Marks marks_;
  BlockReader bits_reader_;
  GcHeap heap_;
  std::vector<Bits> bits_;
  std::vector<std::byte> buffer_;
  std::vector<std::uint64_t> alloc_words_, mark_words_, more_words_;
  std::vector<std::byte> inline_marks_;  // Of kSpansAtOnce spans.
  std::vector<MemoryPiece> inline_pieces_;
};

Result<GcHeap> GcHeap::read(const MemoryReader& memory, const GcLayout& layout, Address mheap,
                            Marks marks) {
  if (!mheap) return Error{ErrorCode::not_found, "where runtime.mheap_ lies is not known"};
  return GcHeapReader(memory, layout, marks).read(mheap);
}

const GcHeap::Chunk* GcHeap::chunk(std::uint64_t number) const {
  if (chunks_.empty() || number < chunks_.front().number || number > chunks_.back().number)
    return nullptr;
  if (!chunk_slots_.empty()) {
    const std::uint32_t slot = chunk_slots_[number - chunks_.front().number];
    return slot == 0 ? nullptr : &chunks_[slot - 1];
  }
  const auto found =
      std::lower_bound(chunks_.begin(), chunks_.end(), number,
                       [](const Chunk& one, std::uint64_t wanted) { return one.number < wanted; });
  return found != chunks_.end() && found->number == number ? &*found : nullptr;
}

const GcSpan* GcHeap::span_at(Address address) const {
  if (spans_.empty() || address < spans_.front().base) return nullptr;
  const std::uint64_t page = address.value / kPageBytes;
  if (const Chunk* in = chunk(page / kChunkPages))
    if (const std::uint32_t span = in->spans[page % kChunkPages]) return &spans_[span - 1];
  const auto after = std::upper_bound(
      wide_.begin(), wide_.end(), address,
      [&](Address wanted, std::uint32_t index) { return wanted < spans_[index].base; });
  if (after == wide_.begin()) return nullptr;
  const GcSpan& span = spans_[*std::prev(after)];
  return span.range().contains(address) ? &span : nullptr;
}

std::optional<std::uint64_t> GcHeap::element_at(Address address) const {
  const GcSpan* span = span_at(address);
  if (span == nullptr) return std::nullopt;
  const std::uint64_t index = (address.value - span->base.value) / span->element_bytes;
  if (index >= span->elements) return std::nullopt;
  return span->first_object + index;
}

const GcSpan* GcHeap::span_of(std::uint64_t object) const {
  const auto after = std::upper_bound(
      spans_.begin(), spans_.end(), object,
      [](std::uint64_t number, const GcSpan& span) { return number < span.first_object; });
  if (after == spans_.begin()) return nullptr;
  const GcSpan& span = *std::prev(after);
  return object - span.first_object < span.elements ? &span : nullptr;
}

AddressRange GcHeap::element(std::uint64_t object) const {
  const GcSpan* span = span_of(object);
  if (span == nullptr) return {};
  const Address begin{span->base.value + (object - span->first_object) * span->element_bytes};
  return {begin, {begin.value + span->element_bytes}};
}

}  // namespace cgo
