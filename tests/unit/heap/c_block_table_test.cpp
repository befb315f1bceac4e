#include "heap/c_block_table.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

namespace cgo {
namespace {

using Block = CBlockTable::Block;

std::optional<Address> begin_of(const CBlockTable& table, std::uint64_t address) {
  const auto number = table.find({address});
  if (!number) return std::nullopt;
  return table[*number].begin;
}

}  // namespace

TEST_CASE("a block is found by each of its bytes, and by none beside it") {
  const CBlockTable table({{{0x5000}, 0x18}, {{0x1000}, 8}, {{0x5018}, 0x4000}, {{0x900000}, 1}});
  REQUIRE(table.size() == 4);
  CHECK(table.bytes() == 8 + 0x18 + 0x4000 + 1);
  CHECK(begin_of(table, 0x1000) == Address{0x1000});
  CHECK(begin_of(table, 0x1007) == Address{0x1000});
  CHECK_FALSE(begin_of(table, 0xfff));
  CHECK_FALSE(begin_of(table, 0x1008));
  CHECK(begin_of(table, 0x5017) == Address{0x5000});
  CHECK(begin_of(table, 0x5018) == Address{0x5018});
  CHECK(begin_of(table, 0x8fff) == Address{0x5018});
  CHECK(begin_of(table, 0x9017) == Address{0x5018});
  CHECK_FALSE(begin_of(table, 0x9018));
  CHECK(begin_of(table, 0x900000) == Address{0x900000});
  CHECK_FALSE(begin_of(table, 0x900001));
  CHECK_FALSE(begin_of(table, ~std::uint64_t{0}));
  CHECK_FALSE(CBlockTable().find({0x1000}));
}

TEST_CASE("what cannot be blocks of one heap is left out") {
  const CBlockTable table({{{0x1000}, 0x100}, {{0x1080}, 0x10}, {{0x2000}, 0}, {{~0ull - 4}, 16}});
  CHECK(table.size() == 1);
  CHECK(table.left_out() == 3);
  CHECK(begin_of(table, 0x1080) == Address{0x1000});
}

TEST_CASE("any blocks are found as a search through all finds them") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Block> blocks;
    std::uint64_t at = 0x10000;
    for (int i = 0; i < 400; ++i) {
      at += random() % 8 == 0 ? random() % 40'000'000 : random() % 64;
      const std::uint64_t bytes = random() % 16 == 0 ? random() % 100'000 + 1 : random() % 90 + 1;
      blocks.push_back({{at}, bytes});
      at += bytes;
    }
    const CBlockTable table(blocks);
    REQUIRE(table.size() == blocks.size());
    for (std::uint32_t number = 0; number < table.size(); ++number) {
      const AddressRange range = blocks[number].range();
      CHECK(table.find(range.begin) == number);
      CHECK(table.find({range.end.value - 1}) == number);
      const bool next_begins = number + 1 < table.size() && blocks[number + 1].begin == range.end;
      CHECK(table.find(range.end).has_value() == next_begins);
    }
  }
}

}  // namespace cgo
