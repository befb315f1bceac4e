#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "goruntime/gc_heap.h"
#include "target/memory_reader.h"

namespace cgo {

/// Ranges that hold all of some addresses and not much more, for very many questions.
class AddressFilter {
 public:
  /// As few ranges as are quick to ask: those that lie nearest to each other become one.
  static constexpr std::size_t kMostRanges = 4;
  explicit AddressFilter(std::vector<AddressRange> ranges);

  std::span<const AddressRange> ranges() const { return ranges_; }

 private:
  std::vector<AddressRange> ranges_;
};

/// A word of the Go heap, in an object or not.
struct SweptWord {
  const GcSpan* span = nullptr;
  std::uint64_t offset = 0;  ///< In the span.
  std::uint64_t value = 0;
};

/// Visits the words of all spans whose values are in the filter and wanted, by address. Reads the
/// heap once, in large pieces, on so many threads; `wanted` is asked on all of them, `visit` called
/// on one. `memory` must allow that where there are several. Returns how many bytes of spans could
/// not be read.
struct HeapSweep {
  const MemoryReader& memory;
  const GcHeap& heap;
  const AddressFilter& filter;
  unsigned threads = 1;

  std::uint64_t run(const std::function<bool(std::uint64_t value)>& wanted,
                    const std::function<void(const SweptWord&)>& visit) const;
};

}  // namespace cgo
