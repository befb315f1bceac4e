#include "goruntime/gc_pointers.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

using Offsets = std::vector<std::uint64_t>;

constexpr Address kMheap{0x10000}, kArenas{0x7f0000000000}, kArena{0x7f1000000000}, kType{0x70000},
    kMask{0x71000};
constexpr std::uint64_t kBase = 0xc000000000;

GcLayout layout(int minor) {
  GcLayout out = *gc_layout_from_table({minor, 0}, "");
  out.arenas = {16};
  out.inline_marks = false;
  return out;
}

GcSpan span(std::uint64_t element_bytes, std::uint8_t size_class = 5) {
  return {.mspan = {1},
          .base = {kBase},
          .pages = 1,
          .element_bytes = element_bytes,
          .elements = static_cast<std::uint32_t>(8192 / element_bytes),
          .span_class = static_cast<std::uint8_t>(size_class << 1)};
}

MemoryImage arena() {
  MemoryImage image;
  image.pointer({kMheap.value + 16}, kArenas);
  image.pointer({kArenas.value + (kBase + 0x800000000000) / (64 << 20) * 8}, kArena);
  for (std::uint64_t at = 0; at < 512; at += 8) image.u64({kArena.value + at}, 0);
  return image;
}

Result<Offsets> offsets(const MemoryImage& image, int minor, const GcSpan& of,
                        std::uint64_t index) {
  const GcLayout known = layout(minor);
  GcPointers pointers(image, known, {minor, 0}, kMheap);
  Offsets out;
  auto done = pointers.offsets(of, index, 0, of.element_bytes, out);
  if (!done) return std::move(done).error();
  return out;
}

/// A type of `bytes` whose mask begins with `mask`, at kType.
void put_type(MemoryImage& image, std::uint64_t bytes, std::uint64_t pointer_bytes,
              std::uint8_t flags, std::uint8_t kind, Address data) {
  for (std::uint64_t at = 0; at < 48; at += 8) image.u64({kType.value + at}, 0);
  image.u64(kType, bytes).u64({kType.value + 8}, pointer_bytes);
  image.u8({kType.value + 20}, flags).u8({kType.value + 21}, 8).u8({kType.value + 22}, 8);
  image.u8({kType.value + 23}, kind).pointer({kType.value + 32}, data);
}

TEST_CASE("1.19: an object ends where a word does not say that it goes on") {
  MemoryImage image = arena();
  // Element 1 of 48 bytes has words 6 to 11: pointer, scalar, pointer, then nothing more.
  image.u8({kArena.value + 1}, 0b1100'0100).u8({kArena.value + 2}, 0b0001'0011);
  CHECK(*offsets(image, 19, span(48), 1) == Offsets{0, 16});
  CHECK(offsets(image, 19, span(48), 0)->empty());
}

TEST_CASE("1.21: bits of an object in several groups, and where it says that there are no more") {
  MemoryImage image = arena();
  const std::uint64_t no_more = kArena.value + 1048576;
  for (std::uint64_t at = 0; at < 64; ++at) image.u8({no_more + at}, 0);
  // Element 1 of 768 bytes has words 96 to 191, in groups 1 and 2.
  image.u64({kArena.value + 8}, std::uint64_t{1} << 32).u64({kArena.value + 16}, 0b10);
  CHECK(*offsets(image, 21, span(768), 1) == Offsets{0, 33 * 8});
  image.u8({no_more}, 0b10);
  CHECK(*offsets(image, 21, span(768), 1) == Offsets{0});
}

TEST_CASE("1.22: small objects have their bits at the end of the span") {
  MemoryImage image;
  for (std::uint64_t at = 0; at < 128; at += 8) image.u64({kBase + 8192 - 128 + at}, 0);
  image.u64({kBase + 8192 - 128}, std::uint64_t{0b101001} << 60 | std::uint64_t{1} << 12);
  image.u64({kBase + 8192 - 120}, 0b10);
  CHECK(*offsets(image, 22, span(48), 2) == Offsets{0});
  CHECK(*offsets(image, 22, span(48), 10) == Offsets{0, 24, 40});
}

TEST_CASE("a type in front of an object is that of each of its elements") {
  MemoryImage image;
  put_type(image, 24, 16, 0, 25, kMask);
  image.u64(kMask, 0b10);
  image.pointer({kBase + 1024}, kType);
  CHECK(offsets(image, 27, span(1024), 1)->size() == 42);
  CHECK(offsets(image, 27, span(1024), 1)->front() == 16);
  image.pointer({kBase + 1024}, {0});
  CHECK(offsets(image, 27, span(1024), 1)->empty());
  image.pointer({kBase + 1024}, {kType.value + 4});
  CHECK_FALSE(offsets(image, 27, span(1024), 1));
}

TEST_CASE("a large object has its type in the span") {
  MemoryImage image;
  put_type(image, 8192, 8192, 0, 25, kMask);
  for (std::uint64_t at = 0; at < 128; at += 8) image.u64({kMask.value + at}, 0);
  image.u8({kMask.value + 127}, 0x80);
  GcSpan large = span(8192, 0);
  large.large_type = kType;
  CHECK(*offsets(image, 27, large, 0) == Offsets{8184});
  put_type(image, 16384, 16384, 0, 25, kMask);
  CHECK_FALSE(offsets(image, 27, large, 0));
}

TEST_CASE("a bit program repeats what it wrote") {
  MemoryImage image;
  // Four bytes of length; three bits 101, these five times more, end.
  const std::uint8_t program[] = {0, 0, 0, 0, 3, 0b101, 0x83, 5, 0};
  for (std::size_t i = 0; i < sizeof program; ++i) image.u8({kMask.value + i}, program[i]);
  for (std::uint64_t at = sizeof program; at < 4096; ++at) image.u8({kMask.value + at}, 0);
  const TypeMasks masks(image, {21, 0});
  const auto mask = masks.read(kMask, 18 * 8, true);
  REQUIRE(mask);
  for (std::uint64_t i = 0; i < 18; ++i) CHECK(mask->pointer(i) == (i % 3 != 1));
  // A repetition of more than was written is no program.
  image.u8({kMask.value + 6}, 0x84);
  CHECK_FALSE(masks.read(kMask, 18 * 8, true));
}

TEST_CASE("a mask that was not made yet is put together from the parts of the type") {
  constexpr Address kElement{0x72000}, kSlot{0x73000};
  MemoryImage image;
  put_type(image, 48, 40, 1 << 4, 17, kSlot);  // An array
  image.u64(kSlot, 0).pointer({kType.value + 48}, kElement);
  image.u64({kType.value + 56}, 0).u64({kType.value + 64}, 3);
  for (std::uint64_t at = 0; at < 48; at += 8) image.u64({kElement.value + at}, 0);
  image.u64(kElement, 16).u64({kElement.value + 8}, 8).pointer({kElement.value + 32}, kMask);
  image.u8({kElement.value + 21}, 8).u8({kElement.value + 22}, 8).u8({kElement.value + 23}, 25);
  image.u8(kMask, 1);
  TypeMasks masks(image, {24, 0});
  const auto mask = masks.at(kType, 64);
  REQUIRE(mask);
  CHECK((*mask)->words == std::vector<std::uint64_t>{0b10101});
  // An array of itself has no end.
  image.pointer({kType.value + 48}, kType);
  TypeMasks endless(image, {24, 0});
  CHECK_FALSE(endless.at(kType, 64));
}

}  // namespace
}  // namespace cgo
