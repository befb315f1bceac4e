#include "unwind/recursion.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace cgo {
namespace {

void add(RecursionMeter& meter, std::size_t rounds, const std::vector<std::uint64_t>& round) {
  for (std::size_t i = 0; i < rounds; ++i)
    for (std::uint64_t pc : round) meter.add({pc});
}

struct Run {
  std::size_t first, period, rounds;
  friend bool operator==(const Run&, const Run&) = default;
};

Run run_of(const RecursionMeter& meter) {
  return {meter.found().first, meter.found().period, meter.found().rounds};
}

}  // namespace

TEST_CASE("a function that calls itself repeats with period 1, whatever is around it") {
  RecursionMeter meter;
  add(meter, 1, {1, 2, 3});
  add(meter, 100'000, {7});
  add(meter, 1, {4, 5});
  CHECK(run_of(meter) == Run{3, 1, 100'000});
  CHECK(meter.found().frames == 100'005);
}

TEST_CASE("the smallest period counts, and rounds that are whole") {
  RecursionMeter meter;
  add(meter, 1, {1});
  add(meter, 50, {7, 8, 9});
  add(meter, 1, {7, 8});
  CHECK(run_of(meter) == Run{1, 3, 50});
}

TEST_CASE("the longest run is kept, not the last") {
  RecursionMeter meter;
  add(meter, 40, {7, 8});
  add(meter, 1, {1, 2, 3});
  add(meter, 30, {9});
  CHECK(run_of(meter) == Run{0, 2, 40});
}

TEST_CASE("few rounds are no recursion, nor are too long ones") {
  RecursionMeter meter;
  add(meter, RecursionMeter::kFewestRounds - 1, {7, 8});
  CHECK(meter.found().rounds == 0);
  std::vector<std::uint64_t> round(RecursionMeter::kLongestPeriod + 1);
  for (std::size_t i = 0; i < round.size(); ++i) round[i] = i + 1;
  RecursionMeter other;
  add(other, 20, round);
  CHECK(other.found().rounds == 0);
}

TEST_CASE("frames in no order are counted by pc, in bounded memory") {
  RecursionMeter meter;
  std::uint64_t random = 1;
  for (std::size_t i = 0; i < 10'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    meter.add({1 + (random >> 60 & 1)});
  }
  CHECK(meter.found().rounds * meter.found().period < 100);
  std::size_t counted = 0;
  for (const auto& [pc, times] : meter.found().by_pc) counted += times;
  CHECK(counted == 10'000 - RecursionMeter::kCountedFrom);
  for (std::uint64_t pc = 0; pc < 5000; ++pc) meter.add({100 + pc});
  CHECK(meter.found().by_pc.size() == RecursionMeter::kMostPcs);
}

TEST_CASE("a walk that is put behind another keeps its run where that is longer") {
  RecursionMeter inner, outer;
  add(inner, 10, {7});
  add(outer, 1, {7, 7, 1, 2});
  add(outer, 20, {8, 9});
  inner.append(outer);
  CHECK(run_of(inner) == Run{14, 2, 20});
  CHECK(inner.found().frames == 54);
  add(inner, 9, {9});
  // No run goes over the seam.
  CHECK(run_of(inner) == Run{14, 2, 20});
}

}  // namespace cgo
