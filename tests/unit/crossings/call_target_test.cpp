#include "crossings/call_target.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kEntry{0x401000}, kClosure{0xc000012000}, kInner{0xc000013000};

std::optional<CallTarget> target(const MemoryReader& memory, const std::vector<int>& code,
                                 std::uint64_t call) {
  std::vector<std::byte> bytes;
  for (const int byte : code) bytes.push_back(static_cast<std::byte>(byte));
  return call_target_amd64(memory, bytes, kEntry, wrapping_add(kEntry, call), kClosure);
}

MemoryImage closure_of_function() {
  MemoryImage memory;
  memory.pointer({kClosure.value + 8}, kInner).pointer(kInner, {0x402000});
  return memory;
}

}  // namespace

// The encodings are those that objdump prints for wrappers of Go 1.24 and 1.27.
TEST_CASE("a wrapper that calls a func value of its closure") {
  const MemoryImage memory = closure_of_function();
  const std::vector<int> code = {0x49, 0x3b, 0x66, 0x10,  // cmp rsp, [r14+16]
                                 0x76, 0x20,              // jbe
                                 0x55,                    // push rbp
                                 0x48, 0x89, 0xe5,        // mov rbp, rsp
                                 0x48, 0x83, 0xec, 0x10,  // sub rsp, 16
                                 0x48, 0x8b, 0x52, 0x08,  // mov rdx, [rdx+8]
                                 0x48, 0x8b, 0x0a,        // mov rcx, [rdx]
                                 0xff, 0xd1};             // call rcx
  const auto found = target(memory, code, 21);
  REQUIRE(found);
  CHECK(found->code == Address{0x402000});
  CHECK(found->closure == kInner);
  CHECK_FALSE(target(memory, code, 20));   // No instruction begins there.
  CHECK_FALSE(target(memory, code, 18));   // No call.
  CHECK_FALSE(target(memory, code, 100));  // Behind the code.
  for (const Address hole : memory.addresses()) CHECK_FALSE(target(memory.drop(hole), code, 21));
}

TEST_CASE("a wrapper that calls a method of an interface in its closure") {
  MemoryImage memory;
  memory.pointer({kClosure.value + 8}, {0x500000}).pointer({0x500018}, {0x402000});
  const std::vector<int> code = {0x48, 0x8b, 0x4a, 0x08,  // mov rcx, [rdx+8]
                                 0x48, 0x8b, 0x42, 0x10,  // mov rax, [rdx+16]: is not there
                                 0x48, 0x8b, 0x49, 0x18,  // mov rcx, [rcx+24]
                                 0xff, 0xd1};
  const auto found = target(memory, code, 12);
  REQUIRE(found);
  CHECK(found->code == Address{0x402000});
  CHECK(found->closure == kClosure);
}

TEST_CASE("what is kept on the stack is found again") {
  const MemoryImage memory = closure_of_function();
  const std::vector<int> code = {0x48, 0x83, 0xec, 0x10,        // sub rsp, 16
                                 0x48, 0x89, 0x54, 0x24, 0x08,  // mov [rsp+8], rdx
                                 0xe8, 0,    0,    0,    0,     // call
                                 0x48, 0x8b, 0x54, 0x24, 0x08,  // mov rdx, [rsp+8]
                                 0x48, 0x8b, 0x52, 0x08,        // mov rdx, [rdx+8]
                                 0xff, 0x12};                   // call [rdx]
  const auto found = target(memory, code, 23);
  REQUIRE(found);
  CHECK(found->code == Address{0x402000});
}

TEST_CASE("what something else decides is not known") {
  const MemoryImage memory = closure_of_function();
  // After a call, rdx is the callee's.
  CHECK_FALSE(target(memory, {0xe8, 0, 0, 0, 0, 0x48, 0x8b, 0x52, 0x08, 0xff, 0x12}, 9));
  // An index: mov rcx, [rdx+rax*8]; call rcx.
  CHECK_FALSE(target(memory, {0x48, 0x8b, 0x0c, 0xc2, 0xff, 0xd1}, 4));
  // Only a half was written: mov edx, [rdx+8]; call [rdx].
  CHECK_FALSE(target(memory, {0x8b, 0x52, 0x08, 0xff, 0x12}, 3));
  // What was stored somewhere may be read again: mov [rax], rcx; mov rdx, [rdx+8]; call [rdx].
  CHECK_FALSE(target(memory, {0x48, 0x89, 0x08, 0x48, 0x8b, 0x52, 0x08, 0xff, 0x12}, 7));
  // Behind a jump: jmp +0; call [rdx].
  CHECK_FALSE(target(memory, {0xeb, 0x00, 0xff, 0x12}, 2));
}

}  // namespace cgo
