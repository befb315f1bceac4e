#include "target/image.h"

#include <elf.h>

#include <catch2/catch_test_macros.hpp>

#include "support/elf_builder.h"

namespace cgo {
namespace {

/// Code at 0x1000, data at 0x2000 (file addresses).
std::shared_ptr<const ElfFile> small_file() {
  ElfBuilder builder(ET_DYN);
  builder.segment({.flags = PF_R | PF_X,
                   .address = {0x1000},
                   .contents = ByteWriter().text("0123456789").take()});
  builder.segment({.flags = PF_R | PF_W,
                   .address = {0x2000},
                   .contents = ByteWriter().text("data").take(),
                   .memory_bytes = 0x100});
  auto file = ElfFile::from_bytes(builder.build(), "lib.so");
  REQUIRE(file);
  return *file;
}

Image image_at(std::uint64_t bias) {
  return {.path = "/lib/x/lib.so",
          .file = small_file(),
          .bias = bias,
          .range = {{bias + 0x1000}, {bias + 0x2100}}};
}

}  // namespace

TEST_CASE("an image is found by its segments, not by the holes between them") {
  const ImageMap map({image_at(0x10000), image_at(0x20000)});
  REQUIRE(map.find({0x11000}));
  CHECK(map.find({0x11000}) == &map.all()[0]);
  CHECK(map.find({0x11009}) == &map.all()[0]);
  CHECK(map.find({0x1100a}) == nullptr);
  CHECK(map.find({0x220ff}) == &map.all()[1]);
  CHECK(map.find({0x22100}) == nullptr);
  CHECK(map.executable({0x11009}));
  CHECK_FALSE(map.executable({0x22000}));
  CHECK(map.all()[0].name() == "lib.so");
  CHECK(map.all()[0].to_load({0x1234}) == Address{0x11234});
  CHECK(map.all()[0].to_file({0x11234}) == Address{0x1234});
}

TEST_CASE("a file of another build counts as a range that nothing is known about") {
  Image wrong = image_at(0x10000);
  wrong.mismatch = Error{ErrorCode::malformed_data, "build ids differ"};
  const auto map = std::make_shared<const ImageMap>(std::vector{wrong});
  CHECK(map->find({0x1100a}) == &map->all()[0]);
  CHECK_FALSE(map->executable({0x11000}));
  std::byte byte;
  CHECK_FALSE(image_file_reader(map)->read({0x11000}, {&byte, 1}));
}

TEST_CASE("a bias that wraps finds nothing instead of everything") {
  const ImageMap map({image_at(~std::uint64_t{0} - 0x1004)});
  CHECK(map.find({0}) == nullptr);
  CHECK(map.find({~std::uint64_t{0}}) == nullptr);
}

TEST_CASE("image files stand in for read-only memory and nothing else") {
  const auto map = std::make_shared<const ImageMap>(std::vector{image_at(0x10000)});
  const auto reader = image_file_reader(map);
  const auto digits = read_bytes(*reader, {0x11002}, 4);
  REQUIRE(digits);
  CHECK(*digits == ByteWriter().text("2345").take());
  const auto beyond = read_bytes(*reader, {0x11002}, 9);
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code == ErrorCode::unreadable_memory);
  CHECK(beyond.error().address == Address{0x1100a});
  CHECK_FALSE(read_bytes(*reader, {0x12000}, 1));  // The debuggee may have written it.
}

}  // namespace cgo
