#include "target/segment_memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cgo {

void SegmentMemory::add(Address begin, ByteView bytes) {
  if (const auto end = checked_add(begin, bytes.size()))
    added_.push_back({{begin, *end}, {begin, bytes}});
}

void SegmentMemory::build() { map_ = IntervalMap<Segment>(std::exchange(added_, {})); }

Result<void> SegmentMemory::read(Address from, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto at = checked_add(from, done);
    const auto* piece = at ? map_.find(*at) : nullptr;
    if (!piece) return unreadable(from, out.size(), at.value_or(Address{~std::uint64_t{0}}));
    const auto count =
        std::min<std::uint64_t>(piece->range.end.value - at->value, out.size() - done);
    const Segment& segment = piece->value;
    std::memcpy(out.data() + done, segment.bytes.data() + (at->value - segment.begin.value), count);
    done += count;
  }
  return {};
}

}  // namespace cgo
