#include "goruntime/gc_pointers.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kWordBytes = 8, kPageBytes = 8192, kHeaderBytes = 8;
// Source: src/runtime/malloc.go, amd64: 64 MB an arena, numbered from the lowest canonical address.
constexpr std::uint64_t kArenaBytes = 64u << 20, kArenaBase = 0x800000000000;
constexpr std::uint64_t kArenas = 1u << 22;
// Source: src/runtime/mbitmap.go, heapBitsInSpan; mgcmark_greenteagc.go.
constexpr std::uint64_t kMostWithoutHeader = 512, kLeastInline = 16, kInlineBytes = 128;
/// Words that one word of the bitmap of 1.20 and 1.21 describes.
constexpr std::uint64_t kGroupWords = 64;

Error wrong_type(Address element) {
  return Error{ErrorCode::malformed_data,
               "the object at " + hex(element) + " has no sensible type in front of it", element};
}

}  // namespace

bool GcPointers::bits_in_span(const GcSpan& span) const {
  return span.element_bytes <= kMostWithoutHeader;
}

std::uint64_t GcPointers::header_bytes(const GcSpan& span) const {
  const bool has = layout_.heap_bits == GcLayout::HeapBits::headers && !span.without_pointers() &&
                   !bits_in_span(span) && !span.large();
  return has ? kHeaderBytes : 0;
}

Result<std::optional<Address>> GcPointers::type_of(const GcSpan& span, std::uint64_t index) const {
  if (layout_.heap_bits != GcLayout::HeapBits::headers || span.without_pointers() ||
      bits_in_span(span) || span.user_arena)
    return std::optional<Address>{};
  // The runtime may still be about to say what it is: then it holds nothing yet.
  if (span.large()) return span.large_type ? std::optional(span.large_type) : std::nullopt;
  auto type = read_pointer(memory_, {span.base.value + index * span.element_bytes});
  if (!type) return std::move(type).error().in("header of an object");
  return *type ? std::optional(*type) : std::nullopt;
}

Result<bool> GcPointers::offsets(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                                 std::uint64_t to, std::vector<std::uint64_t>& out) {
  to = std::min(to, span.element_bytes);
  if (span.without_pointers() || from >= to) return false;
  if (layout_.heap_bits != GcLayout::HeapBits::headers)
    return from_arena(span, index, from, to, out);
  if (!bits_in_span(span)) return from_type(span, index, from, to, out);
  auto loaded = load_span_bits(span);
  if (!loaded) return std::move(loaded).error().in("pointer bits of a span");
  return from_bits(span, index, to, out);
}

/// Source: src/runtime/mbitmap.go (1.22 to 1.27), spanHeapBitsRange: a bit for each word of the
/// span, at its end; in front of the inline marks where there are some.
Result<void> GcPointers::load_span_bits(const GcSpan& span) {
  if (loaded_ == span.base) return {};
  loaded_ = {};
  const std::uint64_t bytes = span.pages * kPageBytes;
  const std::uint64_t bit_bytes = bytes / kWordBytes / 8;
  const bool inline_marks = layout_.inline_marks && span.element_bytes >= kLeastInline;
  const std::uint64_t at = bytes - bit_bytes - (inline_marks ? kInlineBytes : 0);
  bits_.assign((bit_bytes + 7) / 8, 0);
  auto done = memory_.read(wrapping_add(span.base, at),
                           std::as_writable_bytes(std::span(bits_)).first(bit_bytes));
  if (done) loaded_ = span.base;
  return done;
}

Result<bool> GcPointers::from_bits(const GcSpan& span, std::uint64_t index, std::uint64_t to,
                                   std::vector<std::uint64_t>& out) const {
  const std::uint64_t first = index * span.element_bytes / kWordBytes, count = to / kWordBytes;
  for (std::uint64_t at = first; at < first + count;) {
    const std::uint64_t in_word = at % 64, left = first + count - at;
    std::uint64_t bits = bits_[at / 64] >> in_word;
    const std::uint64_t taken = std::min<std::uint64_t>(64 - in_word, left);
    if (taken < 64) bits &= ~(~std::uint64_t{0} << taken);
    for (; bits != 0; bits &= bits - 1)
      out.push_back((at - first + static_cast<unsigned>(std::countr_zero(bits))) * kWordBytes);
    at += taken;
  }
  return false;
}

/// Source: src/runtime/mbitmap.go (1.22 to 1.27), typePointers: an array of the type as far as the
/// element reaches.
Result<bool> GcPointers::from_type(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                                   std::uint64_t to, std::vector<std::uint64_t>& out) {
  const Address element{span.base.value + index * span.element_bytes};
  Address type = span.large_type;
  if (!span.large()) {
    auto header = read_pointer(memory_, element);
    if (!header) return std::move(header).error().in("header of an object");
    type = *header;
  }
  if (!type) return false;
  const std::uint64_t header = header_bytes(span);
  auto mask = masks_.at(type, span.element_bytes);
  if (!mask) return std::move(mask).error();
  const TypeMask& of = **mask;
  if (of.pointer_bytes == 0 || of.bytes == 0) {
    // Arena chunks get pointers as they fill up.
    return span.user_arena ? Result<bool>(false) : Result<bool>(wrong_type(element));
  }
  const std::uint64_t words = of.pointer_bytes / kWordBytes;
  const std::uint64_t begin = from > header ? from - header : 0, end = to - std::min(to, header);
  for (std::uint64_t value = begin / of.bytes * of.bytes; value < end; value += of.bytes) {
    for (std::uint64_t group = 0; group < words; group += 64) {
      std::uint64_t bits = of.words[group / 64];
      if (words - group < 64) bits &= ~(~std::uint64_t{0} << (words - group));
      for (; bits != 0; bits &= bits - 1) {
        const std::uint64_t at =
            value + (group + static_cast<unsigned>(std::countr_zero(bits))) * kWordBytes;
        if (at >= begin && at < end) out.push_back(header + at);
      }
    }
  }
  return to < span.element_bytes;
}

Result<Address> GcPointers::arena_of(Address address) {
  const std::uint64_t number = (address.value + kArenaBase) / kArenaBytes;
  if (arena_number_ == number) return arena_;
  if (number >= kArenas)
    return Error{ErrorCode::malformed_data, "no arena of Go can be here", address};
  auto arenas = read_pointer(memory_, wrapping_add(mheap_, layout_.arenas.bytes));
  if (!arenas) return std::move(arenas).error().in("runtime.mheap_.arenas");
  auto arena = read_pointer(memory_, wrapping_add(*arenas, number * 8));
  if (!arena) return std::move(arena).error().in("runtime.mheap_.arenas");
  if (!*arena) return Error{ErrorCode::malformed_data, "no arena of Go is here", address};
  arena_number_ = number;
  arena_ = *arena;
  return arena_;
}

/// Adds to bits_ and ends_ what the arena that has `begin` says of as many words from it on.
Result<void> GcPointers::load_piece(Address begin, std::uint64_t words) {
  auto arena = arena_of(begin);
  if (!arena) return std::move(arena).error();
  const std::uint64_t first = begin.value % kArenaBytes / kWordBytes;
  const std::uint64_t target = (begin.value - bits_begin_.value) / kWordBytes;
  const bool two_bits = layout_.heap_bits == GcLayout::HeapBits::two_bits;
  // All pieces begin at a multiple of 64 words.
  raw_.resize(words / (two_bits ? 4 : 8));
  auto done = memory_.read(
      wrapping_add(*arena, layout_.arena_bitmap->bytes + first / (two_bits ? 4 : 8)), raw_);
  if (!done) return done;
  if (two_bits) {
    // Source: src/runtime/mbitmap.go (1.19): four words a byte, the low half says pointer, the
    // high half that the object goes on.
    for (std::uint64_t i = 0; i < raw_.size(); ++i) {
      const auto byte = std::to_integer<std::uint64_t>(raw_[i]);
      bits_[(target + 4 * i) / 64] |= (byte & 15) << (target + 4 * i) % 64;
      ends_[(target + 4 * i) / 64] |= (~byte >> 4 & 15) << (target + 4 * i) % 64;
    }
    return {};
  }
  std::memcpy(&bits_[target / 64], raw_.data(), raw_.size());
  raw_.resize((words / kGroupWords + 7) / 8 + 1);
  const std::uint64_t group = first / kGroupWords;
  done = memory_.read(wrapping_add(*arena, layout_.arena_no_more_pointers->bytes + group / 8),
                      std::span(raw_).first((words / kGroupWords + group % 8 + 7) / 8));
  if (!done) return done;
  // Source: src/runtime/mbitmap.go (1.20, 1.21), noMorePtrs: of an object that reaches over the
  // words of one word of the bitmap, whether more pointers follow.
  for (std::uint64_t i = 0; i < words / kGroupWords; ++i)
    if ((std::to_integer<unsigned>(raw_[(group % 8 + i) / 8]) >> (group + i) % 8 & 1) != 0)
      ends_[target / 64 + i] = std::uint64_t{1} << 63;
  return {};
}

/// Both rounded outward to multiples of 64 words.
Result<void> GcPointers::load_arena_bits(Address begin, Address end) {
  constexpr std::uint64_t kGroupBytes = kGroupWords * kWordBytes;
  begin.value -= begin.value % kGroupBytes;
  end.value += (kGroupBytes - end.value % kGroupBytes) % kGroupBytes;
  bits_begin_ = bits_end_ = begin;
  bits_.assign((end.value - begin.value) / kGroupBytes, 0);
  ends_.assign(bits_.size(), 0);
  while (begin < end) {
    const std::uint64_t next = std::min(end.value, (begin.value / kArenaBytes + 1) * kArenaBytes);
    auto done = load_piece(begin, (next - begin.value) / kWordBytes);
    if (!done) return done;
    begin = {next};
  }
  bits_end_ = end;
  return {};
}

Result<bool> GcPointers::from_arena(const GcSpan& span, std::uint64_t index, std::uint64_t from,
                                    std::uint64_t to, std::vector<std::uint64_t>& out) {
  constexpr std::uint64_t kWholeSpan = 128 * 1024;
  const Address element{span.base.value + index * span.element_bytes};
  const Address begin{element.value + from}, end{element.value + to};
  if (begin < bits_begin_ || end > bits_end_) {
    const bool whole = span.pages * kPageBytes <= kWholeSpan;
    auto done = whole ? load_arena_bits(span.base, span.range().end) : load_arena_bits(begin, end);
    if (!done) {
      bits_begin_ = bits_end_ = {};
      return std::move(done).error().in("bitmap of the heap");
    }
  }
  const std::uint64_t first = (begin.value - bits_begin_.value) / kWordBytes;
  const std::uint64_t count = (to - from) / kWordBytes;
  const bool two_bits = layout_.heap_bits == GcLayout::HeapBits::two_bits;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = first + i;
    const bool ends = ends_[at / 64] >> at % 64 & 1;
    if (two_bits && ends) return false;
    if (bits_[at / 64] >> at % 64 & 1) out.push_back(from + i * kWordBytes);
    if (ends) return false;
  }
  return to < span.element_bytes;
}

}  // namespace cgo
