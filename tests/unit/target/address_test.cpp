#include "target/address.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {

TEST_CASE("address arithmetic fails instead of wrapping") {
  CHECK(checked_add({0x10}, 0x20) == Address{0x30});
  CHECK(checked_add({~0ull}, 1) == std::nullopt);
  CHECK(checked_sub({0x10}, 0x10) == Address{0});
  CHECK(checked_sub({0x10}, 0x11) == std::nullopt);
}

TEST_CASE("hex has no leading zeros") {
  CHECK(hex(0) == "0x0");
  CHECK(hex(0xdeadbeef12345678) == "0xdeadbeef12345678");
}

TEST_CASE("ranges are half open") {
  const AddressRange range{{0x10}, {0x20}};
  CHECK(range.contains({0x10}));
  CHECK_FALSE(range.contains({0x20}));
  CHECK(AddressRange{{0x20}, {0x10}}.bytes() == 0);
}

}  // namespace cgo
