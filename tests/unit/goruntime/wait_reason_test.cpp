#include "goruntime/wait_reason.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/go_runtime.h"

namespace cgo {

TEST_CASE("numbers of wait reasons move between releases") {
  CHECK(wait_reason_for({19, 0}, 19) == "sleep");
  CHECK(wait_reason_for({24, 0}, 19) == "sleep");
  CHECK(wait_reason_for({25, 0}, 20) == "sleep");
  CHECK(wait_reason_for({19, 0}, 21) == "timer goroutine (idle)");
  CHECK(wait_reason_for({20, 0}, 21) == "sync.Mutex.Lock");
  CHECK(wait_reason_for({24, 0}, 43) == "select (synctest)");
  CHECK(wait_reason_for({27, 0}, 46) == "cleanup wait");
  CHECK(wait_reason_for({27, 0}, 0) == "");
}

TEST_CASE("every release ends with its last reason") {
  const struct {
    int minor;
    std::size_t count;
  } rows[] = {{19, 27}, {20, 32}, {21, 32}, {22, 37}, {23, 38},
              {24, 44}, {25, 47}, {26, 47}, {27, 47}};
  for (const auto& row : rows) {
    CAPTURE(row.minor);
    CHECK(wait_reason_count({row.minor, 0}) == row.count);
    CHECK_FALSE(wait_reason_for({row.minor, 0}, static_cast<std::uint8_t>(row.count)));
  }
  CHECK(wait_reason_count({30, 0}) == 47);
  CHECK_FALSE(wait_reason_for({30, 0}, 1));
}

TEST_CASE("a wait time needs a clock, a start and a wait") {
  Goroutine g;
  g.status = GStatus::waiting;
  g.wait_since_ns = 1000;
  CHECK(wait_ns(g, 5000) == 4000);
  CHECK_FALSE(wait_ns(g, std::nullopt));
  CHECK_FALSE(wait_ns(g, 999));
  g.status = GStatus::runnable;
  CHECK_FALSE(wait_ns(g, 5000));
  g.status = GStatus::syscall;
  g.wait_since_ns = 0;
  CHECK_FALSE(wait_ns(g, 5000));
}

}  // namespace cgo
