#include "owners/object_reader.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

constexpr std::uint64_t kPageBytes = 8192, kMostKept = 64u << 20;
/// Spans of several objects are no larger; large ones are read in pieces.
constexpr std::uint64_t kLargestWhole = 128 * 1024;

std::size_t slots_for(std::uint64_t heap_bytes) {
  return std::clamp<std::uint64_t>(std::min(heap_bytes / 8, kMostKept) / kPageBytes, 16, 8192);
}

}  // namespace

Result<void> ObjectReader::Window::read(Address from, std::span<std::byte> out) const {
  if (from < range_.begin || from.value - range_.begin.value + out.size() > bytes_.size())
    return memory_.read(from, out);
  std::memcpy(out.data(), bytes_.data() + (from.value - range_.begin.value), out.size());
  return {};
}

ObjectReader::ObjectReader(const GoMemory& go)
    : memory_(go.memory()),
      window_(go.memory()),
      pointers_(window_, go.layout, go.runtime.version(), go.places.mheap),
      slots_(slots_for(go.heap.heap_bytes())) {}

ObjectReader::~ObjectReader() = default;

/// What memory lacks reads as zero, and is counted.
std::uint64_t ObjectReader::load_piece(const GcSpan& span, std::uint64_t index,
                                       std::uint64_t from) {
  const std::uint64_t bytes = std::min(span.element_bytes - from, kPieceBytes);
  const std::uint64_t in_span = index * span.element_bytes + from;
  const std::uint64_t span_bytes = span.pages * kPageBytes;
  if (span_bytes > kLargestWhole) {
    large_.resize(bytes);
    const Address at = wrapping_add(span.base, in_span);
    missing_bytes_ += read_present(memory_, at, large_);
    window_.show({at, wrapping_add(at, bytes)}, large_);
    piece_ = large_;
    return bytes;
  }
  Slot& slot = slots_[span.base.value / kPageBytes % slots_.size()];
  if (slot.span != span.base) {
    slot.span = span.base;
    slot.bytes.resize(span_bytes);
    missing_bytes_ += read_present(memory_, span.base, slot.bytes);
  }
  window_.show(span.range(), slot.bytes);
  piece_ = std::span<const std::byte>(slot.bytes).subspan(in_span, bytes);
  return bytes;
}

Result<bool> ObjectReader::load_pointers(const GcSpan& span, std::uint64_t index,
                                         std::uint64_t from) {
  offsets_.clear();
  const std::uint64_t bytes = load_piece(span, index, from);
  return pointers_.offsets(span, index, from, from + bytes, offsets_);
}

}  // namespace cgo
