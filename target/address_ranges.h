#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "target/address.h"

namespace cgo {

/// The parts of `range` outside of `taken`, which is sorted by begin and may overlap.
inline std::vector<AddressRange> without(AddressRange range, std::span<const AddressRange> taken) {
  std::vector<AddressRange> out;
  for (const AddressRange& one : taken) {
    if (one.begin >= range.end) break;
    if (one.end <= range.begin) continue;
    if (range.begin < one.begin) out.push_back({range.begin, one.begin});
    range.begin = std::max(range.begin, one.end);
    if (range.begin >= range.end) return out;
  }
  if (range.begin < range.end) out.push_back(range);
  return out;
}

}  // namespace cgo
