#include "crossings/crossing_tracker.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

using What = CrossingTracker::What;

constexpr std::uint64_t kF = 0xf000, kG = 0x6000, kExport = 0xe000;
constexpr Address kM{0x1000};

Arrival at(std::uint64_t crossing, std::uint64_t sp, std::uint64_t calls, std::int32_t depth,
           std::uint64_t tid = 1) {
  return {.tid = tid, .crossing = crossing, .sp = {sp}, .m = kM, .calls = calls, .depth = depth};
}

}  // namespace

TEST_CASE("a crossing that jumps on to another one returns with it") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  tracker.enter_go(at(kExport, 0x700, 1, 1));
  const auto left = tracker.leave(at(kExport, 0x700, 1, 1));
  CHECK(left.what == What::returned);
  CHECK(left.crossing.entered.crossing == kExport);
  REQUIRE(left.returned_too.size() == 1);
  CHECK(left.returned_too[0].entered.crossing == kF);
  CHECK(tracker.open().empty());
  CHECK(tracker.returned() == 2);
  // Where C returns to Go: nothing is left to return.
  CHECK(tracker.leave(at(0, 0x700, 1, 1)).what != What::returned);
  CHECK(tracker.abandoned() == 0);
}

TEST_CASE("a call and its return are a pair") {
  CrossingTracker tracker;
  const auto entered = tracker.enter_c(at(kF, 0x700, 1, 1));
  CHECK(entered.what == What::entered);
  CHECK(entered.crossing.number == 1);
  CHECK(tracker.open().size() == 1);
  const auto left = tracker.leave(at(kF, 0x700, 1, 1));
  CHECK(left.what == What::returned);
  CHECK(left.crossing.number == 1);
  CHECK(tracker.open().empty());
  CHECK(tracker.returned() == 1);
}

TEST_CASE("what a signal handler comes back to is the same arrival") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  CHECK(tracker.enter_c(at(kF, 0x700, 1, 1)).what == What::again);
  CHECK(tracker.enter_c(at(kF, 0x700, 1, 1)).what == What::again);
  CHECK(tracker.entered() == 1);
  tracker.leave(at(kF, 0x700, 1, 1));
  CHECK(tracker.leave(at(kF, 0x700, 1, 1)).what == What::again);
  CHECK(tracker.returned() == 1);
  // The next call has the same place and arguments, and another number.
  CHECK(tracker.enter_c(at(kF, 0x700, 2, 1)).what == What::entered);
  CHECK(tracker.leave(at(kF, 0x700, 2, 1)).what == What::returned);
}

TEST_CASE("a stub that jumps into another one makes no second call") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  CHECK(tracker.enter_c(at(kG, 0x700, 1, 1)).what == What::again);
  CHECK(tracker.leave(at(0, 0x700, 1, 1)).crossing.entered.crossing == kF);
  CHECK(tracker.abandoned() == 0);
}

TEST_CASE("without watched returns a call ends where the next one of its depth begins") {
  CrossingTracker tracker;
  for (std::uint64_t calls = 1; calls <= 5; ++calls)
    CHECK(tracker.enter_c(at(kF, 0x700, calls, 1)).what == What::entered);
  CHECK(tracker.entered() == 5);
  CHECK(tracker.open().size() == 1);
}

TEST_CASE("calls within callbacks are pairs of their own") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  CHECK(tracker.enter_go(at(kExport, 0x600, 1, 1)).what == What::entered);
  CHECK(tracker.enter_go(at(kExport, 0x600, 1, 1)).what == What::again);
  CHECK(tracker.enter_c(at(kF, 0x500, 2, 2)).abandoned.empty());
  CHECK(tracker.open().size() == 3);
  CHECK(tracker.leave(at(kF, 0x500, 2, 2)).crossing.entered.sp.value == 0x500);
  CHECK(tracker.leave(at(kExport, 0x600, 2, 1)).crossing.entered.crossing == kExport);
  // A second callback from the same place in the same call: the first one has returned.
  CHECK(tracker.enter_go(at(kExport, 0x600, 2, 1)).what == What::entered);
  CHECK(tracker.leave(at(kExport, 0x600, 2, 1)).what == What::returned);
  CHECK(tracker.leave(at(kF, 0x700, 2, 1)).what == What::returned);
  CHECK(tracker.abandoned() == 0);
}

TEST_CASE("what a panic has passed is known at the next call of its depth") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  tracker.enter_go(at(kExport, 0x600, 1, 1));
  const auto next = tracker.enter_c(at(kG, 0x700, 2, 1));
  REQUIRE(next.abandoned.size() == 2);
  CHECK(next.abandoned[0].entered.crossing == kF);
  CHECK_FALSE(next.abandoned[1].from_go);
  CHECK(tracker.open().size() == 1);
  CHECK(tracker.abandoned() == 2);
}

TEST_CASE("what a longjmp has passed is known at the return of what it went to") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  tracker.enter_go(at(kExport, 0x600, 1, 1));
  tracker.enter_c(at(kG, 0x500, 2, 2));
  const auto left = tracker.leave(at(kF, 0x700, 2, 2));
  CHECK(left.what == What::returned);
  CHECK(left.abandoned.size() == 2);
  CHECK(tracker.open().empty());
}

TEST_CASE("another thread's m tells what it has left") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1, 7));
  tracker.enter_go(at(kExport, 0x600, 1, 1, 7));
  CHECK(tracker.seen_at(7, kM, 1).empty());
  CHECK(tracker.seen_at(8, kM, 0).empty());
  CHECK(tracker.seen_at(7, {0x9999}, 0).empty());
  CHECK(tracker.seen_at(7, kM, 0).size() == 2);
  CHECK_FALSE(tracker.has_open(7));
}

// A Go program calls a library with a Go runtime of its own, which calls C: both count from one.
TEST_CASE("runtimes on one thread count by themselves") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1));
  Arrival inner = at(kG, 0x500, 1, 1);
  inner.m = {0x9000};
  CHECK(tracker.enter_c(inner).abandoned.empty());
  CHECK(tracker.leave(inner).what == What::returned);
  CHECK(tracker.leave(at(kF, 0x700, 1, 1)).what == What::returned);
  CHECK(tracker.abandoned() == 0);
}

TEST_CASE("threads do not know of each other, and end") {
  CrossingTracker tracker;
  tracker.enter_c(at(kF, 0x700, 1, 1, 7));
  CHECK(tracker.enter_c(at(kF, 0x700, 1, 1, 8)).what == What::entered);
  CHECK(tracker.leave(at(kF, 0x700, 1, 1, 9)).what == What::unseen_entry);
  CHECK(tracker.end_thread(7).size() == 1);
  CHECK(tracker.end_thread(7).empty());
  CHECK(tracker.open().size() == 1);
}

TEST_CASE("a return of what was under way before is no return of anything") {
  CrossingTracker tracker;
  CHECK(tracker.leave(at(kF, 0x700, 5, 1)).what == What::unseen_entry);
  CHECK(tracker.returned() == 0);
}

// On a thread of C that Go 1.19 has no m for, all numbers are 0.
TEST_CASE("without an m callbacks are told apart by their returns") {
  CrossingTracker tracker;
  const Arrival arrival{.tid = 3, .crossing = kExport, .sp = {0x600}};
  for (int i = 0; i < 3; ++i) {
    CHECK(tracker.enter_go(arrival).what == What::entered);
    CHECK(tracker.enter_go(arrival).what == What::again);
    CHECK(tracker.leave(arrival).what == What::returned);
  }
}

}  // namespace cgo
