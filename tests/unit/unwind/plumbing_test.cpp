#include "unwind/plumbing.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {

TEST_CASE("what only carries a crossing is plumbing") {
  CHECK(is_plumbing(Language::c, "_cgo_52619c5c9ae6_Cfunc_c_outer", "cgo-gcc-prolog"));
  CHECK(is_plumbing(Language::c, "_cgo_52619c5c9ae6_C2func_open", ""));
  CHECK(is_plumbing(Language::go, "_cgoexp_52619c5c9ae6_goCallback", ""));
  CHECK(is_plumbing(Language::c, "goCallback", "/tmp/go-build/_cgo_export.c"));
  CHECK(is_plumbing(Language::go, "runtime.cgocallbackg1.deferwrap1", ""));
  CHECK(is_plumbing(Language::assembly, "crosscall2", ""));
  CHECK(is_plumbing(Language::go, "runtime.main", ""));
}

TEST_CASE("the user's own functions are not") {
  CHECK_FALSE(is_plumbing(Language::go, "main.main", ""));
  CHECK_FALSE(is_plumbing(Language::go, "main._Cfunc_c_outer", "_cgo_gotypes.go"));
  CHECK_FALSE(is_plumbing(Language::c, "_cgo_nothex_Cfunc_x", ""));
  CHECK_FALSE(is_plumbing(Language::c, "crosscall", ""));
  CHECK_FALSE(is_plumbing(Language::c, "runtime.main", ""));
}

}  // namespace cgo
