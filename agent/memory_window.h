#pragma once
// Reads memory of which nobody promises that it is there: a wrong stack must not crash the program.

#include <cstdint>

#include "agent/kernel.h"

/// Reads what other frames keep: AddressSanitizer has no opinion on that.
#define CGO_PLAIN_READS __attribute__((no_sanitize("address")))

namespace cgo::agent {

/// Remembers which pages were found readable. Those of stacks stay so while a thread runs.
class MemoryWindow {
 public:
  /// False when the 8 bytes at `address` cannot be read.
  CGO_PLAIN_READS bool load(std::uint64_t address, std::uint64_t& value) {
    if ((address & 7) != 0) return false;
    for (const Range& range : ranges_)
      if (address - range.begin < range.bytes) {
        value = *reinterpret_cast<const std::uint64_t*>(address);
        return true;
      }
    if (!readable(address)) return false;
    note(address & ~(kPage - 1));
    value = *reinterpret_cast<const std::uint64_t*>(address);
    return true;
  }

 private:
  static constexpr std::uint64_t kPage = 4096;
  struct Range {
    std::uint64_t begin = 0, bytes = 0;
  };

  void note(std::uint64_t page) {
    for (Range& range : ranges_) {
      if (range.bytes == 0) continue;
      if (page == range.begin + range.bytes) {
        range.bytes += kPage;
        return;
      }
      if (page + kPage == range.begin) {
        range.begin = page;
        range.bytes += kPage;
        return;
      }
    }
    ranges_[oldest_] = {page, kPage};
    oldest_ = (oldest_ + 1) % kRanges;
  }

  static constexpr unsigned kRanges = 6;
  Range ranges_[kRanges];
  unsigned oldest_ = 0;
};

}  // namespace cgo::agent
