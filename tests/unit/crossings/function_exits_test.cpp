#include "crossings/function_exits.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kAt{0x401000};

MemoryImage code(std::initializer_list<int> bytes) {
  MemoryImage out;
  Address at = kAt;
  for (const int byte : bytes) {
    out.u8(at, static_cast<std::uint8_t>(byte));
    at = wrapping_add(at, 1);
  }
  // What follows is another function, which returns too.
  for (int i = 0; i < 64; ++i, at = wrapping_add(at, 1)) out.u8(at, 0xc3);
  return out;
}

Result<FunctionExits> exits(const MemoryReader& memory) {
  return exits_of(memory, ImageMap(), kAt);
}

}  // namespace

// Instructions as objdump prints them of stubs that gcc compiled.
TEST_CASE("a stub ends with its return") {
  const auto found = exits(code({0x53,              // push %rbx
                                 0x48, 0x89, 0xfb,  // mov %rdi,%rbx
                                 0xe8, 0, 0, 0, 0,  // call
                                 0x5b,              // pop %rbx
                                 0xc3}));           // ret
  REQUIRE(found);
  CHECK(found->returns == std::vector<Address>{{kAt.value + 10}});
  CHECK(found->tail_jumps.empty());
}

TEST_CASE("a stub without a result ends with a jump to its function") {
  const auto found = exits(code({0x8b, 0x3f,                       // mov (%rdi),%edi
                                 0xe9, 0x00, 0x10, 0x00, 0x00}));  // jmp
  REQUIRE(found);
  CHECK(found->returns.empty());
  CHECK(found->tail_jumps == std::vector<Address>{{kAt.value + 2}});
}

TEST_CASE("a jump forward leads to further exits") {
  const auto found = exits(code({0x85, 0xff,  // test %edi,%edi
                                 0x74, 0x01,  // je +1
                                 0xc3,        // ret
                                 0x90,        // nop
                                 0xc3}));     // ret
  REQUIRE(found);
  CHECK(found->returns == std::vector<Address>{{kAt.value + 4}, {kAt.value + 6}});
}

TEST_CASE("a loop is no exit") {
  const auto found = exits(code({0x90,        // nop
                                 0x75, 0xfd,  // jne back
                                 0xc3}));     // ret
  REQUIRE(found);
  CHECK(found->returns.size() == 1);
  CHECK(found->tail_jumps.empty());
}

TEST_CASE("code without an end, and none at all, are said") {
  MemoryImage endless;
  for (std::uint64_t i = 0; i < 64; ++i) endless.u8({kAt.value + i}, 0x90);
  CHECK_FALSE(exits(endless));
  CHECK_FALSE(exits(MemoryImage()));
  CHECK_FALSE(exits(code({0x06})));
}

}  // namespace cgo
