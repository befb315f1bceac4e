#include "unwind/call_check.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

MemoryImage code_before(Address pc, std::vector<std::uint8_t> bytes) {
  MemoryImage memory;
  for (std::uint64_t i = 1; i <= 16; ++i) memory.u8({pc.value - i}, 0x90);
  memory.bytes({pc.value - bytes.size()}, std::as_bytes(std::span(bytes)));
  return memory;
}

}  // namespace

TEST_CASE("every encoding of a call is recognised before a return address") {
  // Assembled with `as` and listed with objdump: the text beside each is objdump's.
  const std::vector<std::uint8_t> call = GENERATE(
      std::vector<std::uint8_t>{0xe8, 1, 2, 3, 4},                    // call rel32
      std::vector<std::uint8_t>{0xff, 0xd0},                          // call *%rax
      std::vector<std::uint8_t>{0x41, 0xff, 0xd4},                    // call *%r12
      std::vector<std::uint8_t>{0xff, 0x13},                          // call *(%rbx)
      std::vector<std::uint8_t>{0xff, 0x50, 0x18},                    // call *0x18(%rax)
      std::vector<std::uint8_t>{0xff, 0x54, 0x24, 0x08},              // call *0x8(%rsp)
      std::vector<std::uint8_t>{0xff, 0x15, 1, 2, 3, 4},              // call *0x4030201(%rip)
      std::vector<std::uint8_t>{0xff, 0x90, 1, 2, 3, 4},              // call *0x4030201(%rax)
      std::vector<std::uint8_t>{0xff, 0x14, 0xc5, 1, 2, 3, 4},        // call *0x4030201(,%rax,8)
      std::vector<std::uint8_t>{0x41, 0xff, 0x94, 0xc4, 1, 2, 3, 4},  // call *disp32(%r12,%rax,8)
      std::vector<std::uint8_t>{0xff, 0x14, 0x24});                   // call *(%rsp)
  const auto found = follows_call({code_before({0x1000}, call)}, {0x1000});
  REQUIRE(found);
  CHECK(*found);
}

TEST_CASE("what is not a call is not taken for one") {
  const std::vector<std::uint8_t> other =
      GENERATE(std::vector<std::uint8_t>{0xe9, 1, 2, 3, 4},     // jmp rel32
               std::vector<std::uint8_t>{0xff, 0xe0},           // jmp *%rax
               std::vector<std::uint8_t>{0xff, 0x75, 0x18},     // push 0x18(%rbp)
               std::vector<std::uint8_t>{0xff, 0x15, 1, 2, 3},  // call *(%rip), one byte short
               std::vector<std::uint8_t>{0x0f, 0x05});          // syscall
  const auto found = follows_call(code_before({0x1000}, other), {0x1000});
  REQUIRE(found);
  CHECK_FALSE(*found);
}

TEST_CASE("unreadable code is an error, not a verdict") {
  CHECK_FALSE(follows_call(MemoryImage{}, {0x1000}));
  const auto low = follows_call(MemoryImage{}, {0x3});
  REQUIRE(low);
  CHECK_FALSE(*low);
}

TEST_CASE("the signal trampoline is known at both of its instructions") {
  const std::uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
  MemoryImage memory;
  memory.bytes({0x2000}, std::as_bytes(std::span(code)));
  CHECK(is_signal_return(memory, {0x2000}));
  CHECK(is_signal_return(memory, {0x2007}));
  CHECK_FALSE(is_signal_return(memory, {0x2001}));
  CHECK_FALSE(is_signal_return(memory, {0x2009}));
}

}  // namespace cgo
