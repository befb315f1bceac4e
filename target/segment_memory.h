#pragma once

#include <vector>

#include "target/byte_view.h"
#include "target/interval_map.h"
#include "target/memory_reader.h"

namespace cgo {

/// Pieces of a debuggee's memory that lie in a file which is mapped here.
class SegmentMemory {
 public:
  void add(Address begin, ByteView bytes);
  /// Ends adding; before it nothing is readable.
  void build();
  /// The contract of MemoryReader::read.
  Result<void> read(Address from, std::span<std::byte> out) const;

 private:
  /// A whole segment; an overlapping one may leave it only a part of its range.
  struct Segment {
    Address begin;
    ByteView bytes;
  };
  std::vector<IntervalMap<Segment>::Entry> added_;
  IntervalMap<Segment> map_;
};

}  // namespace cgo
