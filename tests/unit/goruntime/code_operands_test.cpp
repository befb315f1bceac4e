#include "goruntime/code_operands.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

namespace cgo {
namespace {

std::vector<std::byte> code(std::initializer_list<int> bytes) {
  std::vector<std::byte> out;
  for (int byte : bytes) out.push_back(static_cast<std::byte>(byte));
  return out;
}

}  // namespace

TEST_CASE("operands count from the end of their instruction") {
  using Use = CodeOperand::Use;
  // Taken from runtime.allgadd of go1.27.4: mov 0x13226e(%rip),%rcx at 0x449fbb.
  const auto load =
      rip_operands_amd64(code({0x48, 0x8b, 0x0d, 0x6e, 0x22, 0x13, 0x00}), {0x449fbb});
  REQUIRE(load.size() == 1);
  CHECK(load[0].target == Address{0x57c230});
  CHECK(load[0].use == Use::load);
  // cmpq $0x0,0xf8783(%rip) at 0x436e6d of go1.19: one byte of immediate behind the displacement.
  const auto compare =
      rip_operands_amd64(code({0x48, 0x83, 0x3d, 0x83, 0x87, 0x0f, 0x00, 0x00}), {0x436e6d});
  REQUIRE(compare.size() == 1);
  CHECK(compare[0].target == Address{0x52f5f8});
  CHECK(compare[0].use == Use::compare);
  // lea -0x10(%rip),%rdi, behind a nop; and a store with a high register.
  const auto two = rip_operands_amd64(
      code({0x90, 0x48, 0x8d, 0x3d, 0xf0, 0xff, 0xff, 0xff, 0x4c, 0x89, 0x05, 0, 1, 0, 0}),
      {0x1000});
  REQUIRE(two.size() == 2);
  CHECK(two[0].target == Address{0xff8});
  CHECK(two[0].use == Use::address);
  CHECK(two[1].target == Address{0x110f});
  CHECK(two[1].use == Use::store);
}

TEST_CASE("other encodings are no operands") {
  CHECK(rip_operands_amd64(code({0x48, 0x8b, 0x4c, 0x24, 0x08, 0, 0, 0}), {0}).empty());
  CHECK(rip_operands_amd64(code({0x8b, 0x0d, 0, 0, 0, 0, 0, 0}), {0}).empty());  // 4 bytes.
  CHECK(rip_operands_amd64(code({0x48, 0x8b, 0x0d, 0, 0, 0}), {0}).empty());     // Cut.
  CHECK(rip_operands_amd64({}, {0}).empty());
}

TEST_CASE("the three ways to the g of a thread") {
  // mov %fs:0xfffffffffffffff8,%rcx
  const auto local = tls_access_amd64(
      code({0x90, 0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff, 0xff}), {0x1000});
  REQUIRE(local);
  CHECK(local->offset == -8);
  CHECK_FALSE(local->slot);
  // mov $0xfffffffffffffef8,%rcx; mov %fs:(%rcx),%rcx
  const auto relaxed = tls_access_amd64(
      code({0x48, 0xc7, 0xc1, 0xf8, 0xfe, 0xff, 0xff, 0x64, 0x48, 0x8b, 0x09}), {0x1000});
  REQUIRE(relaxed);
  CHECK(relaxed->offset == -264);
  // mov 0x20(%rip),%rcx; mov %fs:(%rcx),%rcx
  const auto slot =
      tls_access_amd64(code({0x48, 0x8b, 0x0d, 0x20, 0, 0, 0, 0x64, 0x48, 0x8b, 0x09}), {0x1000});
  REQUIRE(slot);
  CHECK(slot->slot == Address{0x1027});
}

TEST_CASE("code without an access, or cut inside one, has none") {
  const auto whole = code({0x48, 0x8b, 0x0d, 0x20, 0, 0, 0, 0x64, 0x48});
  for (std::size_t size = 0; size + 1 < whole.size(); ++size)
    CHECK_FALSE(tls_access_amd64(ByteView(whole).first(size), {0x1000}));
  CHECK_FALSE(tls_access_amd64(std::vector<std::byte>(200, std::byte{0x90}), {0x1000}));
}

}  // namespace cgo
