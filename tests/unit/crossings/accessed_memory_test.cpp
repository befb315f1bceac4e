#include "crossings/accessed_memory.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>
#include <vector>

#include "target/arch.h"

namespace cgo {
namespace {

Registers registers() {
  Registers out(kAmd64);
  for (unsigned number = 0; number < 16; ++number) out.set(number, 0x1000 * (number + 1));
  out.set_pc({0x401000});
  return out;
}
constexpr std::uint64_t kRax = 0x1000, kRdx = 0x2000, kRcx = 0x3000, kRsi = 0x5000, kRdi = 0x6000,
                        kRsp = 0x8000, kR15 = 0x10000;

Result<std::vector<AccessedMemory>> accessed(std::initializer_list<int> bytes,
                                             const Registers& with = registers()) {
  std::vector<std::byte> code;
  for (const int byte : bytes) code.push_back(static_cast<std::byte>(byte));
  return accessed_memory_amd64(code, with);
}

void check(std::initializer_list<int> bytes, std::uint64_t at, std::uint64_t size) {
  const auto found = accessed(bytes);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().at == Address{at});
  CHECK(found->front().bytes == size);
}

// The bytes are GNU as's for the instruction beside them.
TEST_CASE("the memory of an instruction is computed from registers") {
  check({0x48, 0x8b, 0x40, 0x10}, kRax + 0x10, 8);          // mov 0x10(%rax),%rax
  check({0xc7, 0x04, 0x25, 8, 0, 0, 0, 1, 0, 0, 0}, 8, 4);  // movl $1,0x8
  check({0x88, 0x54, 0xce, 0xff}, kRsi + 8 * kRcx - 1, 1);  // mov %dl,-1(%rsi,%rcx,8)
  check({0x48, 0x8b, 0x05, 0x31, 0x8d, 0x10, 0}, 0x401007 + 0x108d31,
        8);                                     // mov 0x108d31(%rip),%rax
  check({0x41, 0x0f, 0x11, 0x07}, kR15, 16);    // movups %xmm0,(%r15)
  check({0x50}, kRsp - 8, 8);                   // push %rax
  check({0x5a}, kRsp, 8);                       // pop %rdx
  check({0xe8, 0, 0, 0, 0}, kRsp - 8, 8);       // call
  check({0xc3}, kRsp, 8);                       // ret
  check({0x48, 0x83, 0x0c, 0x24, 0}, kRsp, 8);  // orq $0,(%rsp)
}

TEST_CASE("an instruction may access memory in two places, or none") {
  const auto moved = accessed({0xf3, 0xa4});  // rep movsb
  REQUIRE(moved);
  REQUIRE(moved->size() == 2);
  CHECK(moved->at(0).at == Address{kRdi});
  CHECK(moved->at(1).at == Address{kRsi});
  CHECK(accessed({0x48, 0x8d, 0x40, 0x10}).value().empty());  // lea 0x10(%rax),%rax
  CHECK(accessed({0x0f, 0x1f, 0x40, 0}).value().empty());     // nopl 0(%rax)
  CHECK(accessed({0x48, 0x01, 0xd0}).value().empty());        // add %rdx,%rax
  CHECK(AccessedMemory{{kRdx}, 4}.contains({kRdx + 3}));
  CHECK_FALSE(AccessedMemory{{kRdx}, 4}.contains({kRdx + 4}));
}

TEST_CASE("what registers do not tell is not guessed") {
  CHECK_FALSE(accessed({0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff}));  // mov %fs:-8,%rax
  CHECK_FALSE(accessed({0x67, 0x8b, 0x00}));                                      // mov (%eax),%eax
  CHECK_FALSE(accessed({0xc4, 0xe2, 0x69, 0x92, 0x04, 0x88}));                    // vgatherdps
  CHECK_FALSE(accessed({0x48, 0x8b}));
  CHECK_FALSE(accessed({}));
  Registers without = registers();
  without.forget(0);
  CHECK_FALSE(accessed({0x48, 0x8b, 0x40, 0x10}, without));
  CHECK(accessed({0x48, 0x8b, 0x42, 0x10}, without));
}

}  // namespace
}  // namespace cgo
