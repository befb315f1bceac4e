#include "heap/mapped_chunks.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kBegin{0x7f0000000000};
constexpr AddressRange kMapping{kBegin, {kBegin.value + 0x10000}};

void chunk(MemoryImage& memory, std::uint64_t offset, std::uint64_t bytes) {
  memory.u64({kBegin.value + offset}, 0).u64({kBegin.value + offset + 8}, bytes | 2);
}

}  // namespace

TEST_CASE("blocks of their own mappings lie behind one another") {
  MemoryImage memory;
  chunk(memory, 0, 0x4000);
  chunk(memory, 0x4000, 0xc000);
  const auto found = mapped_chunk_at(memory, kMapping, {kBegin.value + 0x4020});
  REQUIRE(found);
  CHECK(found->block.begin == Address{kBegin.value + 0x4010});
  CHECK(found->block.bytes() == 0xc000 - 16);
}

TEST_CASE("a block behind something else is believed when blocks fill the rest") {
  MemoryImage memory;
  memory.u64(kBegin, 77).u64({kBegin.value + 8}, 78);
  chunk(memory, 0x4000, 0xc000);
  CHECK(mapped_chunk_at(memory, kMapping, {kBegin.value + 0x9000}));
  CHECK_FALSE(mapped_chunk_at(memory, kMapping, {kBegin.value + 0x3000}));
  chunk(memory, 0x4000, 0x8000);
  CHECK_FALSE(mapped_chunk_at(memory, kMapping, {kBegin.value + 0x9000}));
}

TEST_CASE("a block of a larger alignment says how far in it lies") {
  MemoryImage memory;
  chunk(memory, 0, 0x10000);
  memory.u64({kBegin.value + 0x1ff0}, 0x1ff0).u64({kBegin.value + 0x1ff8}, (0x10000 - 0x1ff0) | 2);
  const auto found = mapped_chunk_at(memory, kMapping, {kBegin.value + 0x8000});
  REQUIRE(found);
  CHECK(found->block.begin == Address{kBegin.value + 0x2000});
}

TEST_CASE("realloc changes the inner header of an aligned block alone") {
  for (const std::uint64_t outer : {0x4000, 0x40000}) {  // It grew, or shrank.
    MemoryImage memory;
    chunk(memory, 0, outer);
    memory.u64({kBegin.value + 0xff0}, 0xff0).u64({kBegin.value + 0xff8}, (0x8000 - 0xff0) | 2);
    chunk(memory, 0x8000, 0x8000);
    const auto found = mapped_chunk_at(memory, kMapping, {kBegin.value + 0x7000});
    REQUIRE(found);
    CHECK(found->block.begin == Address{kBegin.value + 0x1000});
    CHECK(found->block.end == Address{kBegin.value + 0x8000});
  }
}

TEST_CASE("wrong sizes are no blocks") {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{0x1802}, std::uint64_t{0x20002},
        std::uint64_t{0x4003}, ~std::uint64_t{0}}) {
    MemoryImage memory;
    memory.u64(kBegin, 0).u64({kBegin.value + 8}, size);
    CHECK_FALSE(mapped_chunk_at(memory, kMapping, {kBegin.value + 0x100}));
  }
  CHECK_FALSE(mapped_chunk_at(MemoryImage(), kMapping, {kBegin.value + 0x100}));
}

}  // namespace cgo
