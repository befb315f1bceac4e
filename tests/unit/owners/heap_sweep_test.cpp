#include "owners/heap_sweep.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

AddressRange range(std::uint64_t begin, std::uint64_t end) { return {{begin}, {end}}; }

}  // namespace

TEST_CASE("a filter keeps few ranges as they are") {
  const AddressFilter filter({range(0x9000, 0xa000), range(0x1000, 0x2000), range(0x5000, 0x5000)});
  REQUIRE(filter.ranges().size() == 2);
  CHECK(filter.ranges()[0].begin.value == 0x1000);
  CHECK(filter.ranges()[0].end.value == 0x2000);
  CHECK(filter.ranges()[1].begin.value == 0x9000);
}

TEST_CASE("of too many ranges the nearest become one, and nothing falls out") {
  std::vector<AddressRange> ranges;
  for (const std::uint64_t begin : {0x10000, 0x20000, 0x21000, 0x90000, 0x400000, 0x401800})
    ranges.push_back(range(begin, begin + 0x800));
  // One that lies in another.
  ranges.push_back(range(0x10100, 0x10200));
  const AddressFilter filter(ranges);
  REQUIRE(filter.ranges().size() == AddressFilter::kMostRanges);
  for (const AddressRange one : ranges) {
    const auto holds = [&](AddressRange wide) {
      return wide.begin <= one.begin && one.end <= wide.end;
    };
    CHECK(std::ranges::any_of(filter.ranges(), holds));
  }
  CHECK(filter.ranges()[0].end.value == 0x10800);
  CHECK(filter.ranges()[1].begin.value == 0x20000);
  CHECK(filter.ranges()[1].end.value == 0x21800);
  CHECK(filter.ranges()[3].begin.value == 0x400000);
  CHECK(filter.ranges()[3].end.value == 0x402000);
}

}  // namespace cgo
