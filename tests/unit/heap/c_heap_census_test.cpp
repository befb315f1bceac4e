#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "heap/c_heap.h"
#include "heap/mapped_chunks.h"
#include "heap_example.h"

namespace cgo {
namespace {

using Build = GlibcHeapBuilder;
using Kind = CHeapPlace::Kind;

struct Counted {
  std::map<Address, CHeapPlace> blocks;
  CHeap::Census census;
};

Counted count(const MemoryReader& memory, const Build& build, std::uint64_t most_chunks = 100'000) {
  Counted out;
  CHeap heap = heap_of(memory, build, most_chunks);
  out.census = heap.for_each_block({}, [&](const CHeapPlace& place) {
    CHECK(out.blocks.emplace(place.block.begin, place).second);
  });
  return out;
}

}  // namespace

TEST_CASE("a census visits the blocks of all arenas once, as a search for each finds them") {
  Blocks b;
  const Counted all = count(b.build.memory(), b.build);
  CHECK(all.census.gaps.empty());
  CHECK(all.blocks.size() == 12);
  CHECK(all.blocks.at(b.lives).kind == Kind::live);
  CHECK(all.blocks.at(b.lives).block.bytes() == 0x28);
  for (const Address freed : {b.cached, b.fast, b.binned, b.other_freed})
    CHECK(all.blocks.at(freed).kind == Kind::freed);
  CHECK(all.blocks.at(b.other).kind == Kind::live);
  for (const auto& [address, place] : all.blocks) {
    const auto found = heap_of(b.build.memory(), b.build).find(address);
    REQUIRE(found);
    CHECK(found->kind == place.kind);
    CHECK(found->block == place.block);
  }
}

TEST_CASE("a census says where damage hides blocks, and has those in front of it") {
  Blocks b;
  b.build.memory().u64({b.fast.value - 8}, 0x7878787878787878);
  const Counted all = count(b.build.memory(), b.build);
  // The list of the freed block cannot be followed either.
  CHECK(all.census.gaps.size() == 2);
  CHECK(std::ranges::any_of(all.census.gaps, [&](const std::string& gap) {
    return gap.find(hex(Address{b.fast.value - 16})) != std::string::npos;
  }));
  CHECK(all.blocks.at(b.lives).kind == Kind::live);
  CHECK_FALSE(all.blocks.contains(b.binned));
  CHECK(all.blocks.at(b.other).kind == Kind::live);
}

TEST_CASE("a census of many blocks has each; one that is bounded says so") {
  Build build;
  std::vector<Address> added;
  for (int i = 0; i < 300; ++i) added.push_back(build.add(0x20 + 0x10 * (i % 4)));
  build.finish();
  const Counted all = count(build.memory(), build);
  CHECK(all.census.gaps.empty());
  for (const Address block : added) CHECK(all.blocks.at(block).kind == Kind::live);
  const Counted few = count(build.memory(), build, 100);
  CHECK(few.census.gaps.size() == 1);
  CHECK(few.blocks.size() < 200);
}

TEST_CASE("every byte that is missing from a heap is a gap or changes nothing") {
  Blocks b;
  const Counted whole = count(b.build.memory(), b.build);
  for (std::uint64_t offset = 0; offset < 0xb00; offset += 8) {
    const MemoryImage image = b.build.memory().drop({Build::kHeap.value + offset});
    const Counted all = count(image, b.build);
    if (!all.census.gaps.empty()) continue;
    CHECK(all.blocks.size() == whole.blocks.size());
  }
}

TEST_CASE("blocks with pages of their own are counted where they fill their memory from an end") {
  constexpr Address kAt{0x7f0000000000};
  constexpr std::uint64_t kPage = 4096;
  const auto begins = [&](std::initializer_list<std::pair<int, int>> chunks, int pages) {
    MemoryImage memory;
    memory.bytes(kAt, std::vector<std::byte>(static_cast<std::size_t>(pages) * kPage));
    for (const auto& [page, count] : chunks)
      memory.u64({kAt.value + page * kPage + 8}, count * kPage + 2);
    std::vector<int> out;
    for_each_mapped_chunk(memory, {kAt, {kAt.value + pages * kPage}}, [&](const MappedChunk& one) {
      out.push_back(static_cast<int>((one.range.begin.value - kAt.value) / kPage));
    });
    return out;
  };
  CHECK(begins({{0, 2}, {2, 3}}, 5) == std::vector{0, 2});
  CHECK(begins({{0, 2}, {5, 3}}, 8) == std::vector{0, 5});
  CHECK(begins({{3, 2}}, 8).empty());
  CHECK(begins({{0, 2}, {3, 2}}, 8) == std::vector{0});
  CHECK(begins({{0, 9}}, 8).empty());
  // A word that looks like a header in front of a real run.
  CHECK(begins({{1, 3}, {2, 2}, {4, 4}}, 8) == std::vector{1, 4});
  CHECK(begins({{1, 2}, {2, 6}}, 8) == std::vector{2});
}

}  // namespace cgo
