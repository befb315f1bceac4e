#include "target/eh_frame.h"

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr std::uint64_t kSection = 0x5000;

/// A CIE with augmentation "zR", addresses as pcrel sdata4, and three FDEs out of order.
std::vector<std::byte> section() {
  ByteWriter out;
  out.u32(16).u32(0).u8(1).text("zR").u8(0).u8(1).u8(0x78).u8(16).u8(1).u8(0x1b).zeros(3);
  for (const std::uint32_t begin : {0x2000u, 0x1000u, 0x3000u}) {
    out.u32(16).u32(static_cast<std::uint32_t>(out.size()));
    out.u32(begin - static_cast<std::uint32_t>(kSection + out.size())).u32(0x10).zeros(4);
  }
  return out.u32(0).take();
}

Result<std::vector<EhFrameEntry>> read(const std::vector<std::byte>& bytes) {
  ElfBuilder builder;
  builder.section({.name = ".eh_frame", .address = {kSection}, .contents = bytes});
  const auto file = ElfFile::from_bytes(builder.build(), "eh");
  REQUIRE(file);
  return read_eh_frame(**file);
}

}  // namespace

TEST_CASE("FDEs are found and sorted without .eh_frame_hdr") {
  const auto found = read(section());
  REQUIRE(found);
  CHECK(*found == std::vector<EhFrameEntry>{{{0x1000}, {kSection + 40}},
                                            {{0x2000}, {kSection + 20}},
                                            {{0x3000}, {kSection + 60}}});
}

TEST_CASE("a cut or changed .eh_frame gives fewer entries, never wrong memory") {
  const std::vector<std::byte> whole = section();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
    if (const auto found = read(cut)) CHECK(found->size() <= 3);
    for (const int value : {0x00, 0x7f, 0xff}) {
      std::vector<std::byte> changed = whole;
      changed[bytes] = std::byte(value);
      if (const auto found = read(changed)) CHECK(found->size() <= 4);
    }
  }
}

}  // namespace cgo
