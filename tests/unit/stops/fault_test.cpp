#include "stops/fault.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <vector>

#include "stops/stack_overflow.h"
#include "support/memory_image.h"
#include "target/arch.h"

namespace cgo {
namespace {

constexpr std::uint64_t kTid = 7, kOtherTid = 8;
// A guard page, 64 KiB of stack, the thread's variables at its end; another thread's below.
constexpr AddressRange kGuard{{0x7f0000100000}, {0x7f0000101000}};
constexpr AddressRange kStack{kGuard.end, {0x7f0000111000}};
constexpr Address kPointer{kStack.end.value - 0x900};
constexpr AddressRange kOtherGuard{{0x7f0000080000}, {0x7f0000081000}};
constexpr AddressRange kOtherStack{kOtherGuard.end, kGuard.begin};
constexpr Address kOtherPointer{kOtherStack.end.value - 0x900};
constexpr AddressRange kFiber{{0x7f0000200000}, {0x7f0000210000}};
constexpr Address kUcontext{0x7f0000300000}, kCode{0x401000}, kGoCode{0x402000};
constexpr AddressRange kAlternate{{0x7f0000400000}, {0x7f0000410000}};
constexpr int kMapError = 1, kAccessError = 2, kByKernel = 0x80;

void add_thread(MemoryImage& memory, Address pointer, AddressRange block, std::uint64_t guard) {
  memory.bytes(pointer, std::vector<std::byte>(0x800));
  memory.pointer(pointer, pointer);
  memory.pointer({pointer.value + 0x690}, block.begin)
      .u64({pointer.value + 0x698}, block.bytes())
      .u64({pointer.value + 0x6a0}, guard);
}

class FakeDebuggee final : public Debuggee {
 public:
  FakeDebuggee()
      : mappings_(std::vector<Mapping>{{.range = kOtherGuard},
                                       {.range = kOtherStack, .readable = true, .writable = true},
                                       {.range = kGuard},
                                       {.range = kStack, .readable = true, .writable = true},
                                       {.range = kFiber, .readable = true, .writable = true}}) {
    add_thread(memory_, kPointer, {kGuard.begin, kStack.end}, kGuard.bytes());
    add_thread(memory_, kOtherPointer, {kOtherGuard.begin, kOtherStack.end}, kOtherGuard.bytes());
  }

  const ArchInfo& arch() const override { return kAmd64; }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return images_; }
  std::vector<ThreadInfo> threads() const override {
    return {{.tid = kTid, .index = 1}, {.tid = kOtherTid, .index = 2}};
  }
  Result<Registers> registers(std::uint64_t) const override {
    return Error{ErrorCode::not_found, "not asked here"};
  }
  Result<Address> thread_pointer(std::uint64_t tid) const override {
    return tid == kTid ? kPointer : kOtherPointer;
  }
  bool executable(Address) const override { return true; }
  const MappingList* mappings() const override { return mappings_known_ ? &mappings_ : nullptr; }

  MemoryImage memory_;
  bool mappings_known_ = true;

 private:
  MappingList mappings_;
  ImageMap images_;
};

PhysicalFrame frame(Address sp, Address cfa, Address pc = kCode) {
  PhysicalFrame out{.registers = Registers(kAmd64)};
  out.registers.set_pc(pc);
  out.registers.set_sp(sp);
  out.cfa = cfa;
  return out;
}

Address below(Address address, std::uint64_t bytes) { return {address.value - bytes}; }
Address above(Address address, std::uint64_t bytes) { return {address.value + bytes}; }

Walk walk(std::vector<PhysicalFrame> frames) {
  Walk out;
  for (PhysicalFrame& one : frames) out.elements.emplace_back(std::move(one));
  return out;
}

SignalDetails fault_at(Address address, int code = kAccessError) {
  return {.number = SIGSEGV, .code = code, .fault_address = address};
}

std::optional<StackUse> use_of(const Walk& walked, const SignalDetails& details,
                               const FakeDebuggee& debuggee = {}) {
  const auto faults = faults_of(walked, debuggee, details);
  REQUIRE(faults.size() == 1);
  return stack_use(debuggee, kTid, walked, faults.front());
}

std::optional<bool> overflow_of(const Walk& walked, const SignalDetails& details,
                                const FakeDebuggee& debuggee = {}) {
  const auto use = use_of(walked, details, debuggee);
  REQUIRE(use);
  return use->overflow;
}

/// In a handler on another stack, of a fault with this context.
struct Handled {
  Walk walked;
  FakeDebuggee debuggee;
};

Handled handled(Address address, std::uint64_t trap, std::uint64_t error, Address cr2) {
  Handled out;
  out.debuggee.memory_.bytes(kUcontext, std::vector<std::byte>(304 + 128));
  out.debuggee.memory_.u64({kUcontext.value + 16}, kAlternate.begin.value)
      .u64({kUcontext.value + 32}, kAlternate.bytes())
      .u64({kUcontext.value + 192}, error)
      .u64({kUcontext.value + 200}, trap)
      .u64({kUcontext.value + 216}, cr2.value)
      .u32({kUcontext.value + 304}, SIGSEGV)
      .u32({kUcontext.value + 304 + 8}, kMapError)
      .u64({kUcontext.value + 304 + 16}, address.value);
  PhysicalFrame trampoline = frame(kUcontext, above(kStack.begin, 0x1000));
  trampoline.crossing = Crossing::signal;
  out.walked = walk({frame(below(kUcontext, 64), below(kUcontext, 8)), trampoline,
                     frame(above(kStack.begin, 0x1000), above(kStack.begin, 0x1010))});
  return out;
}

}  // namespace

TEST_CASE("a push at the end of the stack overflows it") {
  const Walk at_end = walk({frame(kStack.begin, above(kStack.begin, 16))});
  CHECK(overflow_of(at_end, fault_at(below(kStack.begin, 8))) == true);
  const auto use = use_of(at_end, fault_at(below(kStack.begin, 8)));
  CHECK(use->stack.kind == CStack::Kind::thread);
  CHECK(use->stack.range == kStack);
  CHECK(use->stack.guard == kGuard);
  CHECK(use->used_bytes == kStack.bytes());
}

TEST_CASE("a frame that is larger than the guard overflows, also where its address is far away") {
  const Address sp = below(kGuard.begin, 0x5000);
  const Walk large = walk({frame(sp, above(kStack.begin, 0x100))});
  const auto use = use_of(large, fault_at(above(sp, 0x40)));
  REQUIRE(use);
  CHECK(use->overflow == true);
  CHECK(use->past_guard);
}

TEST_CASE("frames that went on in the stack below overflow their own") {
  const Address sp = above(kOtherStack.begin, 0x2000), middle = above(sp, 0x40);
  const Walk deep = walk({frame(sp, middle), frame(middle, above(kStack.begin, 0x500)),
                          frame(above(kStack.begin, 0x500), above(kStack.begin, 0x600))});
  const auto use = use_of(deep, fault_at({0}, kMapError));
  REQUIRE(use);
  CHECK(use->stack.range == kStack);
  CHECK(use->overflow == true);
}

TEST_CASE("a pointer that leads to the guard, or to nothing, is no overflow") {
  const Walk inside = walk({frame(above(kStack.begin, 0x8000), above(kStack.begin, 0x8010))});
  CHECK(overflow_of(inside, fault_at(below(kStack.begin, 8))) == false);
  CHECK(overflow_of(inside, fault_at({0}, kMapError)) == false);
  CHECK(overflow_of(inside, fault_at(kStack.end)) == false);
  const auto use = use_of(inside, fault_at({12}, kMapError));
  CHECK(use->used_bytes == kStack.bytes() - 0x8000);
  // 0 is not near a stack, however full that is.
  const Walk full = walk({frame(above(kStack.begin, 256), above(kStack.begin, 512))});
  CHECK(overflow_of(full, fault_at({0}, kMapError)) == false);
}

TEST_CASE("the red zone below the stack pointer counts, and no more") {
  const Walk near = walk({frame(above(kStack.begin, 100), above(kStack.begin, 116))});
  CHECK(overflow_of(near, fault_at(below(kStack.begin, 8))) == true);
  CHECK(overflow_of(near, fault_at(below(kStack.begin, 0x100))) == false);
}

TEST_CASE("a kernel that could run no handler gives no address: the instruction tells") {
  const Walk at_end = walk({frame(kStack.begin, above(kStack.begin, 16))});
  FakeDebuggee debuggee;
  const SignalDetails killed{.number = SIGSEGV, .code = kByKernel};
  CHECK_FALSE(overflow_of(at_end, killed, debuggee).has_value());
  constexpr std::uint8_t kPushes[][2] = {
      {0xe8, 0}, {0x53, 0x90}, {0x41, 0x57}, {0xff, 0xd0}, {0xff, 0x30}};
  for (const auto& code : kPushes) {
    debuggee.memory_.u8(kCode, code[0]).u8(above(kCode, 1), code[1]);
    CHECK(overflow_of(at_end, killed, debuggee) == true);
  }
  debuggee.memory_.u8(kCode, 0x8b).u8(above(kCode, 1), 0x00);  // mov (%rax),%eax
  CHECK_FALSE(overflow_of(at_end, killed, debuggee).has_value());
  const Walk in_guard = walk({frame(below(kStack.begin, 64), above(kStack.begin, 16))});
  CHECK(overflow_of(in_guard, killed, debuggee) == true);
}

TEST_CASE("a stack that is no thread's own is known by its mapping") {
  const Walk fiber = walk({frame(kFiber.begin, above(kFiber.begin, 32))});
  const auto use = use_of(fiber, fault_at(below(kFiber.begin, 8), kMapError));
  REQUIRE(use);
  CHECK(use->stack.kind == CStack::Kind::mapping);
  CHECK(use->overflow == true);
  FakeDebuggee blind;
  blind.mappings_known_ = false;
  CHECK_FALSE(use_of(fiber, fault_at(below(kFiber.begin, 8), kMapError), blind));
}

TEST_CASE("Go code on a goroutine's stack has no stack of C") {
  PhysicalFrame go = frame(above(kFiber.begin, 0x100), above(kFiber.begin, 0x200), kGoCode);
  go.go = GoFunction{.name = "main.f"};
  CHECK_FALSE(use_of(walk({go}), fault_at({0}, kMapError)));
}

TEST_CASE("the kernel's frame tells whether memory was read, written or executed") {
  const auto access = [](std::uint64_t trap, std::uint64_t error, Address cr2) {
    const Handled one = handled({0x5000}, trap, error, cr2);
    const auto faults = faults_of(one.walked, one.debuggee, std::nullopt);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].handler == 0);
    CHECK(faults[0].frame == 2);
    return faults[0].access;
  };
  CHECK(access(14, 4, {0x5000}) == Fault::Access::read);
  CHECK(access(14, 6, {0x5000}) == Fault::Access::write);
  CHECK(access(14, 20, {0x5000}) == Fault::Access::execute);
  // Of another page fault, or of none.
  CHECK(access(14, 6, {0x6000}) == Fault::Access::unknown);
  CHECK(access(13, 0, {0x5000}) == Fault::Access::unknown);
}

TEST_CASE("bytes that are missing never make an overflow of what is none") {
  const Handled whole = handled({0x5000}, 14, 4, {0x5000});
  for (const Address hole : whole.debuggee.memory_.addresses()) {
    FakeDebuggee debuggee;
    debuggee.memory_ = whole.debuggee.memory_.drop(hole);
    for (const Fault& fault : faults_of(whole.walked, debuggee, std::nullopt)) {
      const auto use = stack_use(debuggee, kTid, whole.walked, fault);
      if (use) CHECK_FALSE(use->overflow.value_or(false));
    }
  }
}

TEST_CASE("signals that were sent are no faults; the first fault comes first") {
  const Walk one = walk({frame(kStack.begin, above(kStack.begin, 16))});
  const FakeDebuggee debuggee;
  CHECK(faults_of(one, debuggee, SignalDetails{.number = SIGABRT, .code = -6}).empty());
  CHECK(faults_of(one, debuggee, SignalDetails{.number = SIGSEGV, .code = 0}).empty());
  CHECK(faults_of({}, debuggee, fault_at({0})).empty());
  const Handled nested = handled({0x5000}, 14, 4, {0x5000});
  const auto faults = faults_of(nested.walked, nested.debuggee, fault_at({0x9000}));
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].address == Address{0x5000});
  CHECK(faults[1].address == Address{0x9000});
}

}  // namespace cgo
