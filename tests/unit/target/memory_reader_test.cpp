#include "target/memory_reader.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {

TEST_CASE("a splice takes each piece from the first source that has it") {
  auto core = std::make_shared<MemoryImage>();
  core->u32({0x1000}, 0x11111111);
  auto file = std::make_shared<MemoryImage>();
  file->u32({0x1000}, 0x22222222).u32({0x1004}, 0x33333333);
  const SplicedReader spliced({core, file});

  const auto both = read_unsigned<std::uint64_t>(spliced, {0x1000});
  REQUIRE(both);
  CHECK(*both == 0x3333333311111111);
}

TEST_CASE("a splice names the first byte that no source has") {
  auto first = std::make_shared<MemoryImage>();
  first->u32({0x1000}, 1);
  auto second = std::make_shared<MemoryImage>();
  second->u8({0x1004}, 2);
  const auto missing = read_unsigned<std::uint64_t>(SplicedReader({first, second}), {0x1000});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().address == Address{0x1005});
}

TEST_CASE("a C string may end right before a hole") {
  MemoryImage memory;
  memory.text({0x1002}, "go").u8({0x1004}, 0);
  for (std::uint64_t i = 5; i < 0x40; ++i) memory.u8({0x1000 + i}, 0xff);
  const auto text = read_c_string(memory, {0x1002});
  REQUIRE(text);
  CHECK(*text == "go");
  CHECK_FALSE(read_c_string(memory, {0x1005}));
}

TEST_CASE("an absurd length is refused before memory is allocated") {
  const auto refused = read_bytes(MemoryImage{}, {0x1000}, ~0ull);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::limit_reached);
}

}  // namespace cgo
