#include "owners/element_fit.h"

#include <catch2/catch_test_macros.hpp>
#include <tuple>

namespace cgo {

// By hand from the table in src/runtime/sizeclasses.go.
TEST_CASE("a value fits the element that Go gives it, and not the next one") {
  for (const auto& [bytes, element, next] : {std::tuple{8, 8, 16},
                                             {9, 16, 24},
                                             {16, 16, 24},
                                             {24, 24, 32},
                                             {32, 32, 48},
                                             {33, 48, 64},
                                             {80, 80, 96},
                                             {81, 96, 112},
                                             {120, 128, 144},
                                             {1000, 1024, 1152},
                                             {1025, 1152, 1280}}) {
    CHECK(fits_element(bytes, element));
    if (next <= 128) CHECK_FALSE(fits_element(bytes, next));
  }
  CHECK_FALSE(fits_element(0, 8));
  CHECK_FALSE(fits_element(17, 16));
  CHECK_FALSE(fits_element(400, 1024));
}

}  // namespace cgo
