#include "heap/c_heap.h"

#include <catch2/catch_test_macros.hpp>

#include "heap_example.h"

namespace cgo {
namespace {

using Build = GlibcHeapBuilder;
using Kind = CHeapPlace::Kind;

CHeapPlace place_of(const MemoryReader& memory, const Build& build, Address address) {
  CHeap heap = heap_of(memory, build);
  const auto place = heap.find(address);
  REQUIRE(place);
  return *place;
}

}  // namespace

TEST_CASE("the main arena is found among a library's variables") {
  Blocks b;
  const AddressRange data{Build::kData, {Build::kData.value + Build::kDataBytes}};
  const auto found = find_main_arena(b.build.memory(), data);
  REQUIRE(found);
  CHECK(*found == Build::kArena);
  const Arenas arenas = read_arenas(b.build.memory(), layout(), *found);
  REQUIRE_FALSE(arenas.error);
  REQUIRE(arenas.found.size() == 2);
  CHECK(arenas.found[1].address == Address{Build::kOther.value + 48});
}

TEST_CASE("a main arena with free chunks of many sizes is one") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  for (std::uint64_t bin = 60; bin < 127; ++bin)
    for (const std::uint64_t word : {0, 8})
      memory.u64({Build::kArena.value + 0x70 + bin * 16 + word}, b.binned.value - 16);
  const AddressRange data{Build::kData, {Build::kData.value + Build::kDataBytes}};
  CHECK(find_main_arena(memory, data).value_or(Address{}) == Build::kArena);
}

TEST_CASE("a last remainder does not make two main arenas of one") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  memory.u64({Build::kArena.value + 0x68}, b.binned.value - 16);      // last_remainder
  memory.u64({Build::kArena.value + 0x860}, std::uint64_t{1} << 32);  // Of the bins' map.
  memory.u64({Build::kArena.value + 0x880}, 1);                       // Threads.
  const AddressRange data{Build::kData, {Build::kData.value + Build::kDataBytes}};
  CHECK(find_main_arena(memory, data).value_or(Address{}) == Build::kArena);
}

TEST_CASE("a block is live until a list or its neighbour says otherwise") {
  Blocks b;
  const MemoryImage& memory = b.build.memory();
  const auto check = [&](Address block, Kind kind, std::uint64_t bytes) {
    for (const std::uint64_t offset : {std::uint64_t{0}, bytes / 2, bytes - 1}) {
      const CHeapPlace place = place_of(memory, b.build, {block.value + offset});
      CHECK(place.kind == kind);
      CHECK(place.block.begin == block);
      CHECK(place.block.bytes() == bytes);
    }
  };
  check(b.lives, Kind::live, 0x28);
  check(b.cached, Kind::freed, 0x48);
  check(b.fast, Kind::freed, 0x38);
  check(b.binned, Kind::freed, 0x7f8);
  check(b.behind, Kind::live, 0x88);
  check(b.other, Kind::live, 0xf8);
  check(b.other_freed, Kind::freed, 0x8f8);
}

TEST_CASE("what malloc keeps for itself is no block") {
  Blocks b;
  const MemoryImage& memory = b.build.memory();
  CHECK(place_of(memory, b.build, {b.lives.value - 8}).kind == Kind::allocator);
  CHECK(place_of(memory, b.build, {Build::kHeap.value + 0x20}).kind == Kind::allocator);
  CHECK(place_of(memory, b.build, {Build::kArena.value + 8}).kind == Kind::allocator);
  CHECK(place_of(memory, b.build, {Build::kOther.value + 8}).kind == Kind::allocator);
  CHECK(place_of(memory, b.build, {Build::kHeap.value + Build::kHeapBytes - 1}).kind ==
        Kind::unused);
  CHECK_FALSE(heap_of(memory, b.build).find({Build::kThread.value}));
  CHECK_FALSE(heap_of(memory, b.build).find({8}));
}

TEST_CASE("behind damage nothing is claimed, in front of it all is") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  memory.u64({b.fast.value - 8}, 0x7878787878787878);
  CHECK(place_of(memory, b.build, b.lives).kind == Kind::live);
  for (const Address block : {b.fast, b.binned, b.behind}) {
    const CHeapPlace place = place_of(memory, b.build, block);
    CHECK(place.kind == Kind::unknown);
    CHECK(place.block.empty());
    CHECK(place.reason.find("damaged at " + hex(b.fast.value - 16)) != std::string::npos);
  }
  const CHeapPlace before = place_of(memory, b.build, b.before_fast);
  CHECK(before.kind == Kind::unknown);
  CHECK(before.block.bytes() == 0x18);
  CHECK(place_of(memory, b.build, b.other).kind == Kind::live);
}

TEST_CASE("damage of the last chunk is said, and nothing in front of it is lost") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  const auto top = read_pointer(memory, {Build::kArena.value + 0x60});
  REQUIRE(top);
  for (const std::uint64_t size : {0x7878787878787878u, 0x7979797979797979u, 0ul}) {
    memory.u64({top->value + 8}, size);
    CHECK(place_of(memory, b.build, b.lives).kind == Kind::live);
    CHECK(place_of(memory, b.build, b.binned).kind == Kind::freed);
    const CHeapPlace before = place_of(memory, b.build, b.behind);
    CHECK(before.kind == Kind::unknown);
    CHECK(before.block.bytes() == 0x88);
    CHECK(before.reason.find("damaged at " + hex(*top)) != std::string::npos);
    CHECK(place_of(memory, b.build, {top->value + 0x40}).kind == Kind::unknown);
  }
}

TEST_CASE("a break that a program has moved is no damage") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  // As sysmalloc ends what it had; what is behind begins nobody knows where.
  memory.u64({b.fast.value - 8}, 0x11).u64({b.fast.value + 8}, 0x11);
  CHECK(place_of(memory, b.build, b.lives).kind == Kind::live);
  const CHeapPlace behind = place_of(memory, b.build, b.behind);
  CHECK(behind.kind == Kind::unknown);
  CHECK(behind.reason ==
        "something other than malloc has moved the break behind " + hex(b.fast.value - 16));
}

TEST_CASE("a damaged list makes blocks of its size uncertain, and no others") {
  Blocks b;
  MemoryImage& memory = b.build.memory();
  memory.u64(b.cached, 0x4141414141414141);
  CHECK(place_of(memory, b.build, b.cached).kind == Kind::freed);
  CHECK(place_of(memory, b.build, b.lives).kind == Kind::live);
  const CHeapPlace same = place_of(memory, b.build, b.same_size);
  CHECK(same.kind == Kind::unknown);
  CHECK(same.block.begin == b.same_size);
  CHECK(same.reason.starts_with("in use or freed: a thread's list"));
}

TEST_CASE("without the threads' lists small blocks may have been freed") {
  Blocks b;
  const MemoryImage& memory = b.build.memory();
  CHeap heap({.memory = &memory,
              .mappings = &b.build.mappings(),
              .layout = layout(),
              .main_arena = Build::kArena,
              .thread_pointers = {},
              .every_thread = false,
              .neighbours = {}});
  const auto small = heap.find(b.lives);
  REQUIRE(small);
  CHECK(small->kind == Kind::unknown);
  CHECK(small->block.bytes() == 0x28);
  CHECK(heap.find(b.binned)->kind == Kind::freed);
}

TEST_CASE("a walk is bounded") {
  Blocks b;
  CHeap heap = heap_of(b.build.memory(), b.build, 4);
  CHECK(heap.find(b.lives)->kind != Kind::freed);
  const auto far = heap.find(b.behind);
  REQUIRE(far);
  CHECK(far->kind == Kind::unknown);
  CHECK(far->reason.find("chunks lie before it") != std::string::npos);
}

TEST_CASE("many blocks are found in any order") {
  Build build;
  std::vector<Address> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(build.add(0x20 + i % 5 * 0x10));
  build.finish();
  CHeap heap = heap_of(build.memory(), build, 10'000);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::size_t which = i * 617 % blocks.size();
    const auto place = heap.find({blocks[which].value + 3});
    REQUIRE(place);
    CHECK(place->kind == Kind::live);
    CHECK(place->block.begin == blocks[which]);
    CHECK(place->block.bytes() == 0x18 + which % 5 * 0x10);
  }
}

TEST_CASE("a missing byte never makes a block what it is not") {
  Blocks b;
  const MemoryImage& whole = b.build.memory();
  const auto truth = [&](Address block) { return place_of(whole, b.build, block).kind; };
  std::vector<std::pair<Address, Kind>> blocks;
  for (const Address block :
       {b.lives, b.cached, b.fast, b.binned, b.behind, b.other, b.other_freed})
    blocks.emplace_back(block, truth(block));
  std::vector<Address> holes;
  for (std::uint64_t at = 0; at < kArenaBytes; ++at) holes.push_back({Build::kArena.value + at});
  for (std::uint64_t at = 0; at < 0xd00; ++at) holes.push_back({Build::kHeap.value + at});
  for (std::uint64_t at = 0; at < 64; ++at) holes.push_back({Build::kOther.value + at});
  for (std::uint64_t at = 0; at < 0x60; ++at) holes.push_back({Build::kThread.value - at});
  for (const Address hole : holes) {
    const MemoryImage memory = whole.drop(hole);
    CHeap heap = heap_of(memory, b.build);
    for (const auto& [block, kind] : blocks) {
      const auto place = heap.find(block);
      if (place && place->kind != kind && place->kind != Kind::unknown)
        FAIL("without " << hex(hole) << " " << hex(block) << " is " << int(place->kind));
    }
  }
}

TEST_CASE("no word, however wrong, leads astray or runs away") {
  Blocks b;
  const std::uint64_t words[] = {0,
                                 1,
                                 0x10,
                                 0x11,
                                 0x21,
                                 0x7fffffffffffffff,
                                 ~std::uint64_t{0},
                                 b.lives.value,
                                 b.cached.value - 16,
                                 Build::kArena.value};
  std::vector<Address> places;
  for (std::uint64_t at = 0; at < kArenaBytes; at += 8)
    places.push_back({Build::kArena.value + at});
  for (std::uint64_t at = 0x290; at < 0xd00; at += 8) places.push_back({Build::kHeap.value + at});
  for (std::uint64_t at = 0; at < 48; at += 8) places.push_back({Build::kOther.value + at});
  for (const Address at : places)
    for (const std::uint64_t word : words) {
      MemoryImage memory = b.build.memory();
      memory.u64(at, word);
      CHeap heap = heap_of(memory, b.build);
      for (const Address block : {b.lives, b.cached, b.behind, b.other}) {
        const auto place = heap.find(block);
        if (place && !place->block.empty()) CHECK(place->block.bytes() < Build::kHeapBytes);
      }
    }
}

TEST_CASE("releases differ in their lists, and unknown ones have none") {
  CHECK(glibc_layout_for({2, 36})->mangled_links);
  CHECK(glibc_layout_for({2, 36})->heap_info_bytes == 48);
  CHECK_FALSE(glibc_layout_for({2, 31})->mangled_links);
  CHECK(glibc_layout_for({2, 31})->heap_info_bytes == 32);
  CHECK(glibc_layout_for({2, 29})->count_bytes == 1);
  CHECK_FALSE(glibc_layout_for({2, 26}));
  CHECK_FALSE(glibc_layout_for({2, 42}));
}

}  // namespace cgo
