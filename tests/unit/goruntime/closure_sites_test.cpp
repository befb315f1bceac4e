#include "goruntime/closure_sites.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

namespace cgo {
namespace {

std::vector<std::byte> code(std::initializer_list<int> bytes) {
  std::vector<std::byte> out;
  for (int byte : bytes) out.push_back(static_cast<std::byte>(byte));
  return out;
}

// Taken from main.maker of a program by go1.20.14, at 0x48298d: lea type(%rip),%rax; call
// runtime.newobject; lea main.maker.func1(%rip),%rcx; mov %rcx,(%rax).
const std::vector<std::byte> kOptimized =
    code({0x48, 0x8d, 0x05, 0xec, 0x49, 0x01, 0x00, 0xe8, 0x87, 0x97, 0xf8,
          0xff, 0x48, 0x8d, 0x0d, 0x40, 0x02, 0x00, 0x00, 0x48, 0x89, 0x08});
constexpr Address kAt{0x48298d}, kClosure{0x482be0}, kNewObject{0x40c120}, kDescriptor{0x497380};

}  // namespace

TEST_CASE("the code that makes a closure tells what it is made of") {
  CHECK(closure_descriptors_amd64(kOptimized, kAt, kClosure, kNewObject) ==
        std::vector{kDescriptor});
  // Of another function, or allocated by another one.
  CHECK(closure_descriptors_amd64(kOptimized, kAt, {0x482be1}, kNewObject).empty());
  CHECK(closure_descriptors_amd64(kOptimized, kAt, kClosure, {0x40c121}).empty());
}

TEST_CASE("unoptimized code pads the call and keeps the pointer first") {
  // Taken from main.makeGeneric of a program by go1.19.13 with -N -l, at 0x5ee595.
  const auto bytes = code({0x48, 0x8d, 0x05, 0x84, 0x41, 0x03, 0x00, 0x0f, 0x1f, 0x40, 0x00,
                           0xe8, 0x9b, 0x23, 0xe2, 0xff, 0x48, 0x89, 0x44, 0x24, 0x18, 0x48,
                           0x8d, 0x0d, 0x2f, 0xda, 0xff, 0xff, 0x48, 0x89, 0x08});
  CHECK(closure_descriptors_amd64(bytes, {0x5ee595}, {0x5ebfe0}, {0x410940}) ==
        std::vector{Address{0x622720}});
}

TEST_CASE("the allocation next to the closure counts") {
  // A captured variable is allocated right before.
  auto two = code({0x48, 0x8d, 0x05, 0x00, 0x10, 0x00, 0x00, 0xe8, 0x93, 0x97, 0xf8, 0xff});
  const Address at{kAt.value - two.size()};
  CHECK(closure_descriptors_amd64(two, at, kClosure, kNewObject).empty());
  two.insert(two.end(), kOptimized.begin(), kOptimized.end());
  CHECK(closure_descriptors_amd64(two, at, kClosure, kNewObject) == std::vector{kDescriptor});
}

TEST_CASE("code that is cut short makes no closure") {
  for (std::size_t bytes = 0; bytes < kOptimized.size(); ++bytes)
    CHECK(closure_descriptors_amd64(ByteView(kOptimized).first(bytes), kAt, kClosure, kNewObject)
              .empty());
}

}  // namespace cgo
