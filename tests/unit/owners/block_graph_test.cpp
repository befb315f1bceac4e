#include "owners/block_graph.h"

#include <catch2/catch_test_macros.hpp>

namespace cgo {
namespace {

constexpr std::uint64_t kBytes = 100;

CBlockTable blocks(std::uint32_t count) {
  std::vector<CBlockTable::Block> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back({{0x1000 + i * 0x100}, kBytes});
  return CBlockTable(all);
}

BlockHolder by(HolderKind kind, std::uint64_t from = 0) {
  return {.kind = kind, .pointer = true, .at = {0x9000}, .from = from};
}

TEST_CASE("a block that something leads to is held, through blocks too") {
  const CBlockTable table = blocks(7);
  BlockGraph graph(table);
  graph.add(0, by(HolderKind::go_object, 17));
  graph.add(1, by(HolderKind::c_block, 0));
  graph.add(2, by(HolderKind::dead_go_object, 18));
  graph.add(3, by(HolderKind::c_block, 2));
  graph.add(5, by(HolderKind::c_block, 5));
  graph.add(6, by(HolderKind::mapping));
  graph.finish();
  CHECK(graph.verdict(0, true) == BlockVerdict::held);
  CHECK(graph.verdict(1, true) == BlockVerdict::held);
  CHECK(graph.verdict(2, true) == BlockVerdict::leaked_go_owner_dead);
  CHECK(graph.verdict(3, true) == BlockVerdict::leaked_go_owner_dead);
  CHECK(graph.verdict(4, true) == BlockVerdict::leaked_unreachable);
  CHECK(graph.verdict(5, true) == BlockVerdict::leaked_unreachable);
  CHECK(graph.verdict(6, true) == BlockVerdict::unknown);
  CHECK(graph.holders(0).front().from == 17);
  CHECK(graph.holders(4).empty());
}

TEST_CASE("nothing is a leak where something was not seen; what is held stays held") {
  const CBlockTable table = blocks(3);
  BlockGraph graph(table);
  graph.add(0, by(HolderKind::c_stack));
  graph.add(1, by(HolderKind::dead_go_object));
  graph.finish();
  CHECK(graph.verdict(0, false) == BlockVerdict::held);
  CHECK(graph.verdict(1, false) == BlockVerdict::unknown);
  CHECK(graph.verdict(2, false) == BlockVerdict::unknown);
}

TEST_CASE("a word that may be nobody's makes a block neither held nor lost") {
  const CBlockTable table = blocks(4);
  BlockGraph graph(table);
  graph.add(0, by(HolderKind::dead_go_object));
  graph.add(0, by(HolderKind::mapping));
  graph.add(1, {.kind = HolderKind::go_object,
                .pointer = false,
                .inside = true,
                .far = true,
                .at = {0x9000}});
  graph.add(2, {.kind = HolderKind::go_object, .pointer = false, .inside = false, .at = {0x9000}});
  graph.add(3, {.kind = HolderKind::go_stack, .pointer = false, .inside = false, .at = {0x9000}});
  graph.finish();
  CHECK(graph.verdict(0, true) == BlockVerdict::unknown);
  CHECK(graph.verdict(1, true) == BlockVerdict::unknown);
  CHECK(graph.verdict(2, true) == BlockVerdict::held);
  CHECK(graph.verdict(3, true) == BlockVerdict::unknown);
}

TEST_CASE("a value says how far into a block it leads") {
  const CBlockTable table = blocks(3);
  BlockGraph graph(table);
  const BlockHolder number{.kind = HolderKind::go_object, .at = {0x9000}};
  CHECK(graph.note(number, 0x1000));
  CHECK(graph.note(number, 0x1100 + kMostHeaderBytes));
  CHECK(graph.note(number, 0x1200 + kMostHeaderBytes + 1));
  CHECK_FALSE(graph.note(number, 0x1000 + kBytes));
  graph.finish();
  CHECK_FALSE(graph.holders(0).front().inside);
  CHECK(graph.holders(1).front().inside);
  CHECK(graph.verdict(1, true) == BlockVerdict::held);
  CHECK(graph.verdict(2, true) == BlockVerdict::unknown);
}

TEST_CASE("what holds a dead owner's block too keeps it") {
  const CBlockTable table = blocks(2);
  BlockGraph graph(table);
  graph.add(0, by(HolderKind::dead_go_object));
  graph.add(1, by(HolderKind::c_block, 0));
  graph.add(1, by(HolderKind::c_global));
  graph.finish();
  CHECK(graph.verdict(0, true) == BlockVerdict::leaked_go_owner_dead);
  CHECK(graph.verdict(1, true) == BlockVerdict::held);
}

TEST_CASE("a block retains what only it leads to") {
  const CBlockTable table = blocks(6);
  BlockGraph graph(table);
  graph.add(0, by(HolderKind::go_object));
  graph.add(1, by(HolderKind::c_block, 0));
  graph.add(2, by(HolderKind::c_block, 1));
  graph.add(3, by(HolderKind::go_global));
  graph.add(2, by(HolderKind::c_block, 3));
  graph.add(4, by(HolderKind::c_block, 1));
  graph.add(1, by(HolderKind::c_block, 4));
  graph.finish();
  CHECK(graph.retained_bytes(0) == 3 * kBytes);
  CHECK(graph.retained_bytes(1) == 2 * kBytes);
  CHECK(graph.retained_bytes(2) == kBytes);
  CHECK(graph.retained_bytes(3) == kBytes);
  CHECK(graph.retained_bytes(5) == kBytes);
}

TEST_CASE("of very many holders the first are kept, and all of blocks") {
  const CBlockTable table = blocks(3);
  BlockGraph graph(table);
  for (std::uint32_t i = 0; i < 1000; ++i) graph.add(0, by(HolderKind::go_object, i));
  graph.add(0, by(HolderKind::c_block, 1));
  graph.finish();
  CHECK(graph.holder_count(0) == 1001);
  CHECK(graph.holders(0).size() == BlockGraph::kMostHolders + 1);
  CHECK(graph.holders(0)[5].from == 5);
}

}  // namespace
}  // namespace cgo
