#include "heap/thread_areas.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kPointer{0x7f0000800700}, kBlock{0x7f0000000000};

MemoryImage thread() {
  MemoryImage memory;
  memory.bytes(kPointer, std::vector<std::byte>(0x800));
  memory.pointer(kPointer, kPointer);
  memory.pointer({kPointer.value + 0x690}, kBlock)
      .u64({kPointer.value + 0x698}, 0x801000)
      .u64({kPointer.value + 0x6a0}, 0x1000);
  return memory;
}

}  // namespace

TEST_CASE("a thread's stack is where the library noted it") {
  const ThreadPlace places[] = {{7, kPointer}};
  const auto areas = thread_areas(thread(), places, 0x200);
  REQUIRE(areas.size() == 1);
  CHECK(areas[0].tid == 7);
  CHECK(areas[0].stack == AddressRange{{kBlock.value + 0x1000}, {kBlock.value + 0x801000}});
  CHECK(areas[0].variables.contains(kPointer));
  CHECK_FALSE(areas[0].variables.contains({kPointer.value - 0x201}));
}

TEST_CASE("a thread without a noted stack has variables alone") {
  MemoryImage memory = thread();
  memory.u64({kPointer.value + 0x690}, 0);
  const ThreadPlace places[] = {{7, kPointer}};
  const auto areas = thread_areas(memory, places, 0x200);
  REQUIRE(areas.size() == 1);
  CHECK(areas[0].stack.empty());
}

TEST_CASE("what does not begin with its own address is no thread") {
  MemoryImage memory = thread();
  memory.u64(kPointer, 1);
  const ThreadPlace places[] = {{7, kPointer}, {8, {0x1000}}};
  CHECK(thread_areas(memory, places, 0x200).empty());
}

}  // namespace cgo
