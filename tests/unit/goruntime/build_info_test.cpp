#include "goruntime/build_info.h"

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"

namespace cgo {
namespace {

std::vector<std::byte> build_info(std::string_view version, std::uint8_t flags = 2) {
  ByteWriter out;
  out.text("\xff Go buildinf:").u8(8).u8(flags).zeros(16);
  out.u8(static_cast<std::uint8_t>(version.size())).text(version);
  return out.take();
}

}  // namespace

TEST_CASE("the version follows the header of build information") {
  CHECK(*decode_build_info(build_info("go1.25.3 X:greenteagc")) == "go1.25.3 X:greenteagc");
  CHECK(*decode_build_info(build_info("")) == "");
}

TEST_CASE("a version longer than 127 bytes has a length of two") {
  ByteWriter out;
  out.text("\xff Go buildinf:").u8(8).u8(2).zeros(16).u8(0xc8).u8(0x01).text(std::string(200, 'x'));
  CHECK(*decode_build_info(out.take()) == std::string(200, 'x'));
}

TEST_CASE("build information cut at any byte is malformed") {
  const auto whole = build_info("go1.25.3");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = decode_build_info(ByteView(whole).first(size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == ErrorCode::malformed_data);
  }
}

TEST_CASE("the form of old releases and endless lengths are refused") {
  CHECK(decode_build_info(build_info("go1.17", 0)).error().code == ErrorCode::unsupported);
  ByteWriter endless;
  endless.text("\xff Go buildinf:").u8(8).u8(2).zeros(16);
  for (int i = 0; i < 64; ++i) endless.u8(0xff);
  CHECK_FALSE(decode_build_info(endless.take()));
}

TEST_CASE("build information is found where it is aligned") {
  ByteWriter data;
  data.zeros(48).bytes(build_info("go1.21"));
  CHECK(find_build_info(data.take()) == 48);
  ByteWriter shifted;
  shifted.zeros(40).bytes(build_info("go1.21"));
  CHECK_FALSE(find_build_info(shifted.take()));
  CHECK_FALSE(find_build_info({}));
}

}  // namespace cgo
