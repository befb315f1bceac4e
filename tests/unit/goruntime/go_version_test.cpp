#include "goruntime/go_version.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {

TEST_CASE("releases as binaries spell them") {
  CHECK(parse_go_version("go1.25.3") == GoVersion{25, 3});
  CHECK(parse_go_version("go1.25.3 X:greenteagc") == GoVersion{25, 3});
  CHECK(parse_go_version("go1.26.1-X:nogreenteagc") == GoVersion{26, 1});
  CHECK(parse_go_version("go1.21") == GoVersion{21, 0});
  CHECK(parse_go_version("go1.27rc1") == GoVersion{27, 0});
  CHECK(parse_go_version("go1.22beta2") == GoVersion{22, 0});
  CHECK(parse_go_version("devel go1.28-0a1b2c3 Tue Jan 2 03:04:05 2026 +0000") == GoVersion{28, 0});
  CHECK(parse_go_version("go1.22.3 (Red Hat 1.22.3-2.el9)") == GoVersion{22, 3});
  CHECK(parse_go_version("go1.20.1+vendor") == GoVersion{20, 1});
}

TEST_CASE("what is not a Go release is not taken for one") {
  for (const char* text :
       {"", "go", "go1", "go1.", "go2.1.1", "1.25.3", "devel +0a1b2c3", "go1.x", "go1.25.",
        "go1.25.x", "go1.25rc", "go1.99999999999", "go1.-5", "go1.25.3x"})
    CHECK_FALSE(parse_go_version(text));
}

TEST_CASE("releases are ordered by number") {
  CHECK(GoVersion{9, 9} < GoVersion{10, 0});
  CHECK(GoVersion{25, 3} < GoVersion{25, 12});
  CHECK(format_go_version({25, 3}) == "1.25.3");
}

}  // namespace cgo
