#include "stops/errno_verdict.h"

#include <catch2/catch_test_macros.hpp>
#include <cerrno>

namespace cgo {
namespace {

using Form = CrossingPoint::Form;

std::string id(const ErrnoFacts& facts) {
  const auto verdict = errno_verdict(facts, "f");
  return verdict ? verdict->id : std::string();
}

}  // namespace

TEST_CASE("an errno that a failed call sets is lost in the form without errno") {
  CHECK(id({.form = Form::cfunc, .before = 0, .after = ENOENT, .failed = true}) == "errno.lost");
  CHECK(id({.form = Form::cfunc, .before = 0, .after = ENOENT, .failed = false}).empty());
  CHECK(id({.form = Form::cfunc, .before = 0, .after = ENOENT}).empty());
  CHECK(id({.form = Form::cfunc, .before = ENOENT, .after = ENOENT, .failed = true}).empty());
  CHECK(id({.form = Form::cfunc, .after = ENOENT, .failed = true}).empty());
  CHECK(id({.form = Form::cfunc, .before = EINTR, .after = 0, .failed = true}).empty());
}

TEST_CASE("an errno of a call that did not fail misleads Go") {
  CHECK(id({.form = Form::c2func, .after = ENOTTY, .returned = ENOTTY, .failed = false}) ==
        "errno.on-success");
  CHECK(id({.form = Form::c2func, .after = ENOTTY, .returned = ENOTTY, .failed = true}).empty());
  CHECK(id({.form = Form::c2func, .after = 0, .returned = 0, .failed = false}).empty());
  CHECK(id({.form = Form::c2func, .after = ENOTTY, .returned = ENOTTY}).empty());
}

TEST_CASE("numbers have the names of errno.h") {
  CHECK(errno_name(ENOENT) == "ENOENT");
  CHECK(errno_name(EPROTO) == "EPROTO");
  CHECK(errno_name(4711) == "errno 4711");
}

}  // namespace cgo
