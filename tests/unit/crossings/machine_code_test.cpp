#include "crossings/machine_code.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>
#include <vector>

namespace cgo {
namespace {

using Kind = Instruction::Kind;

constexpr Address kAt{0x401000};

std::vector<std::byte> code(std::initializer_list<int> bytes) {
  std::vector<std::byte> out;
  for (const int byte : bytes) out.push_back(static_cast<std::byte>(byte));
  return out;
}

Instruction only(std::initializer_list<int> bytes) {
  Instruction found;
  const auto all = code(bytes);
  REQUIRE(decode_amd64(all, kAt, [&](const Instruction& one) {
    found = one;
    return false;
  }));
  return found;
}

}  // namespace

// The encodings are those that objdump prints for such instructions.
TEST_CASE("instructions that lead somewhere say where") {
  const Instruction call = only({0xe8, 0x06, 0x96, 0xfe, 0xff});
  CHECK(call.kind == Kind::call);
  CHECK(call.bytes == 5);
  CHECK(call.target.value == 0x401005 - 0x169fa);
  const Instruction jump = only({0xeb, 0xb8});
  CHECK(jump.kind == Kind::jump);
  CHECK(jump.target.value == 0x401002 - 0x48);
  CHECK(only({0x76, 0x32}).kind == Kind::jump);                // jbe
  const Instruction slot = only({0xff, 0x25, 0x10, 0, 0, 0});  // jmp *0x10(%rip)
  CHECK(slot.kind == Kind::slot);
  CHECK(slot.target.value == 0x401016);
  CHECK(only({0xff, 0x15, 0x10, 0, 0, 0}).kind == Kind::slot);  // call *0x10(%rip)
  CHECK(only({0xff, 0xd0}).kind == Kind::other);                // call *%rax
}

TEST_CASE("loads of whole words say from where, and what else writes a register says which") {
  const Instruction load = only({0x48, 0x8b, 0x05, 0x78, 0xf5, 0x0c, 0});  // mov 0xcf578(%rip),%rax
  CHECK(load.kind == Kind::load);
  CHECK(load.to == 0);
  CHECK(load.target.value == 0x401007 + 0xcf578);
  const Instruction follow = only({0x48, 0x8b, 0x18});  // mov (%rax),%rbx
  CHECK(follow.kind == Kind::follow);
  CHECK(follow.from == 0);
  CHECK(follow.to == 3);
  // mov 0x8(%rax),%rbx; movl (%rax),%ebx; lea 0x28(%rsp),%rbx; mov $1,%eax; mov %fs:…,%r14
  for (const Instruction& one :
       {only({0x48, 0x8b, 0x58, 8}), only({0x8b, 0x18}), only({0x48, 0x8d, 0x5c, 0x24, 0x28})}) {
    CHECK(one.kind == Kind::other);
    CHECK(one.to == 3);
  }
  CHECK(only({0xb8, 1, 0, 0, 0}).to == 0);
  CHECK(only({0x64, 0x4c, 0x8b, 0x34, 0x25, 0xf8, 0xff, 0xff, 0xff}).kind == Kind::other);
  CHECK(only({0x48, 0x89, 0x5c, 0x24, 0x10}).to == -1);  // mov %rbx,0x10(%rsp)
}

TEST_CASE("code that is cut or is none ends the decoding") {
  const auto cut = code({0x90, 0xe8, 0x06, 0x96});
  std::size_t visited = 0;
  CHECK_FALSE(decode_amd64(cut, kAt, [&](const Instruction&) { return ++visited < 10; }));
  CHECK(visited == 1);
  CHECK_FALSE(decode_amd64(code({0x06}), kAt, [](const Instruction&) { return true; }));
  CHECK(decode_amd64({}, kAt, [](const Instruction&) { return true; }));
}

TEST_CASE("an instruction begins only where the one before ends") {
  // movabs $0xfffe9606e8,%rax; nop
  const auto all = code({0x48, 0xb8, 0xe8, 0x06, 0x96, 0xfe, 0xff, 0, 0, 0, 0x90});
  CHECK(begins_instruction_amd64(all, kAt, kAt));
  CHECK_FALSE(begins_instruction_amd64(all, kAt, {kAt.value + 2}));
  CHECK(begins_instruction_amd64(all, kAt, {kAt.value + 10}));
  CHECK_FALSE(begins_instruction_amd64(all, kAt, {kAt.value + 12}));
  CHECK_FALSE(begins_instruction_amd64(all, kAt, {kAt.value - 1}));
}

}  // namespace cgo
