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
constexpr Address kAt{0x48298d}, kClosure{0x482be0}, kDescriptor{0x497380};

ClosureAllocators allocators(Address newobject, Address sized = {1}) {
  return {newobject, [sized](Address called) { return called == sized; }};
}
const ClosureAllocators kNewObject = allocators({0x40c120});
const std::vector kMade{ClosureAllocation{.descriptor = kDescriptor}};

}  // namespace

TEST_CASE("the code that makes a closure tells what it is made of") {
  CHECK(closure_allocations_amd64(kOptimized, kAt, kClosure, kNewObject) == kMade);
  // Of another function, or allocated by another one.
  CHECK(closure_allocations_amd64(kOptimized, kAt, {0x482be1}, kNewObject).empty());
  CHECK(closure_allocations_amd64(kOptimized, kAt, kClosure, allocators({0x40c121})).empty());
}

TEST_CASE("unoptimized code pads the call and keeps the pointer first") {
  // Taken from main.makeGeneric of a program by go1.19.13 with -N -l, at 0x5ee595.
  const auto bytes = code({0x48, 0x8d, 0x05, 0x84, 0x41, 0x03, 0x00, 0x0f, 0x1f, 0x40, 0x00,
                           0xe8, 0x9b, 0x23, 0xe2, 0xff, 0x48, 0x89, 0x44, 0x24, 0x18, 0x48,
                           0x8d, 0x0d, 0x2f, 0xda, 0xff, 0xff, 0x48, 0x89, 0x08});
  CHECK(closure_allocations_amd64(bytes, {0x5ee595}, {0x5ebfe0}, allocators({0x410940})) ==
        std::vector{ClosureAllocation{.descriptor = {0x622720}}});
}

TEST_CASE("the allocation next to the closure counts") {
  // A captured variable is allocated right before.
  auto two = code({0x48, 0x8d, 0x05, 0x00, 0x10, 0x00, 0x00, 0xe8, 0x93, 0x97, 0xf8, 0xff});
  const Address at{kAt.value - two.size()};
  CHECK(closure_allocations_amd64(two, at, kClosure, kNewObject).empty());
  two.insert(two.end(), kOptimized.begin(), kOptimized.end());
  CHECK(closure_allocations_amd64(two, at, kClosure, kNewObject) == kMade);
}

TEST_CASE("allocators for one size are given the size, and a descriptor where there are pointers") {
  // Taken from main.mk of a program by go1.27.4, at 0x49d0ad: mov $0x18,%eax; lea type(%rip),%rbx;
  // mov $1,%ecx; nop; call runtime.mallocgcSmallScanNoHeaderSC3; lea main.mk.func4(%rip),%rdx; mov
  // %rdx,(%rax).
  const auto pointers =
      code({0xb8, 0x18, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x1d, 0x77, 0xaa, 0x0c, 0x00,
            0xb9, 0x01, 0x00, 0x00, 0x00, 0x66, 0x90, 0xe8, 0x7b, 0x17, 0xf8, 0xff,
            0x48, 0x8d, 0x15, 0x54, 0x19, 0x00, 0x00, 0x48, 0x89, 0x10});
  const ClosureAllocators both = allocators({0x40c120}, {0x41e840});
  CHECK(closure_allocations_amd64(pointers, {0x49d0ad}, {0x49ea20}, both) ==
        std::vector{ClosureAllocation{.descriptor = {0x567b30}, .bytes = 24}});
  CHECK(closure_allocations_amd64(pointers, {0x49d0ad}, {0x49ea20}, kNewObject).empty());
  // By hand, without pointers: xor %ebx,%ebx for the descriptor.
  const auto numbers =
      code({0xb8, 0x20, 0x00, 0x00, 0x00, 0x31, 0xdb, 0xb9, 0x01, 0x00, 0x00, 0x00, 0xe8, 0xef,
            0x0f, 0x00, 0x00, 0x48, 0x8d, 0x15, 0xe8, 0x1f, 0x00, 0x00, 0x48, 0x89, 0x10});
  CHECK(closure_allocations_amd64(numbers, {0x1000}, {0x3000}, allocators({1}, {0x2000})) ==
        std::vector{ClosureAllocation{.bytes = 32}});
}

TEST_CASE("code that is cut short makes no closure") {
  for (std::size_t bytes = 0; bytes < kOptimized.size(); ++bytes)
    CHECK(closure_allocations_amd64(ByteView(kOptimized).first(bytes), kAt, kClosure, kNewObject)
              .empty());
}

}  // namespace cgo
