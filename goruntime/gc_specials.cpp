#include "goruntime/gc_specials.h"

#include <algorithm>

#include "goruntime/block_reader.h"
#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPointerBytes = 8;
/// Of one span, and of all: what is more is a damaged list.
constexpr std::uint64_t kMostOfSpan = 1u << 22, kMost = 50'000'000;
constexpr std::size_t kMostProblems = 20;
constexpr std::uint32_t kRecordBytes = 24;

class SpecialReader {
 public:
  SpecialReader(const MemoryReader& memory, const GcLayout& layout, GoVersion version)
      : memory_(memory), layout_(layout), version_(version) {}

  GcSpecials read(const GcHeap& heap) {
    for (const GcSpan& span : heap.spans()) {
      if (!span.specials) continue;
      auto done = read_span(span);
      if (!done && out_.problems.size() < kMostProblems)
        out_.problems.push_back(
            std::move(done).error().in("specials of the span at " + hex(span.base)));
    }
    return std::move(out_);
  }

 private:
  Result<void> read_span(const GcSpan& span) {
    std::uint64_t before = 0, count = 0;
    for (Address at = span.specials; at; ++count) {
      std::array<std::byte, kRecordBytes> record{};
      const std::uint64_t bytes = layout_.special_kind.bytes + 1;
      if (bytes > record.size())
        return Error{ErrorCode::unsupported, "runtime.special is larger than known"};
      auto done = memory_.read(at, std::span(record).first(bytes));
      if (!done) return done;
      const std::uint64_t offset =
          layout_.special_offset_bytes == 2
              ? load<std::uint16_t>(record, layout_.special_offset.bytes).value_or(0)
              : load<std::uint64_t>(record, layout_.special_offset.bytes).value_or(0);
      const std::uint64_t index = offset / span.element_bytes;
      // They are ordered by offset.
      if (index >= span.elements || offset < before || count >= kMostOfSpan || ++total_ > kMost)
        return Error{ErrorCode::malformed_data, "a damaged list", at};
      before = offset;
      const auto number = load<std::uint8_t>(record, layout_.special_kind.bytes).value_or(0);
      GcSpecial special{.kind = special_kind_for(version_, number),
                        .object = span.first_object + index,
                        .value = wrapping_add(span.base, offset),
                        .record = at,
                        .roots = {}};
      special.roots = roots_of(special);
      out_.found.push_back(special);
      at = {*load<std::uint64_t>(record, layout_.special_next.bytes)};
    }
    return {};
  }

  AddressRange roots_of(const GcSpecial& special) const {
    const auto words = [&](FieldOffset at, std::uint64_t bytes) {
      return AddressRange{wrapping_add(special.record, at.bytes),
                          wrapping_add(special.record, at.bytes + bytes)};
    };
    switch (special.kind) {
      case SpecialKind::finalizer:
        return words(layout_.finalizer_function, kPointerBytes);
      case SpecialKind::weak_handle:
        return layout_.weak_handle ? words(*layout_.weak_handle, kPointerBytes) : AddressRange{};
      case SpecialKind::cleanup:
        return layout_.cleanup ? words(*layout_.cleanup, layout_.cleanup_bytes) : AddressRange{};
      case SpecialKind::pin_counter:
      case SpecialKind::other:
        return {};
    }
    return {};
  }

  BlockReader memory_;
  const GcLayout& layout_;
  GoVersion version_;
  GcSpecials out_;
  std::uint64_t total_ = 0;
};

/// How many further times an object is pinned that is pinned more than once.
Result<std::uint64_t> further_pins(const MemoryReader& memory, const GcLayout& layout,
                                   const GcSpecials& specials, std::uint64_t object) {
  auto at = std::lower_bound(
      specials.found.begin(), specials.found.end(), object,
      [](const GcSpecial& special, std::uint64_t wanted) { return special.object < wanted; });
  for (; at != specials.found.end() && at->object == object; ++at)
    if (at->kind == SpecialKind::pin_counter) {
      // Right behind the special.
      const std::uint64_t behind = (layout.special_kind.bytes / 8 + 1) * 8;
      auto count = read_unsigned<std::uint64_t>(memory, wrapping_add(at->record, behind));
      if (!count) return std::move(count).error().in("counter of pins");
      return *count;
    }
  return std::uint64_t{1};
}

}  // namespace

GcSpecials read_specials(const MemoryReader& memory, const GcLayout& layout, GoVersion version,
                         const GcHeap& heap) {
  return SpecialReader(memory, layout, version).read(heap);
}

Result<std::vector<PinnedObject>> read_pins(const MemoryReader& memory, const GcLayout& layout,
                                            const GcHeap& heap, const GcSpecials& specials) {
  std::vector<PinnedObject> out;
  for (const GcSpan& span : heap.spans()) {
    if (!span.pinner_bits) continue;
    auto bits = read_bytes(memory, span.pinner_bits, (span.elements + 3ull) / 4);
    if (!bits) return std::move(bits).error().in("pins of the span at " + hex(span.base));
    for (std::uint64_t i = 0; i < span.elements; ++i) {
      const unsigned pins = std::to_integer<unsigned>((*bits)[i / 4]) >> i % 4 * 2 & 3;
      if ((pins & 1) == 0) continue;
      std::uint64_t times = 1;
      if ((pins & 2) != 0) {
        auto more = further_pins(memory, layout, specials, span.first_object + i);
        if (!more) return std::move(more).error();
        times += *more;
      }
      out.push_back({span.first_object + i, times});
    }
  }
  return out;
}

}  // namespace cgo
