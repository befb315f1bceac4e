#include "stops/repeated_fault.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <vector>

#include "support/memory_image.h"
#include "target/arch.h"

namespace cgo {
namespace {

constexpr Address kCode{0x401000}, kRestorer{0x402000}, kWild{0xdead010}, kSp{0x7f0000110000};
constexpr AddressRange kStack{{0x7f0000100000}, {0x7f0000111000}};
constexpr AddressRange kSignalStack{{0x7f0000400000}, {0x7f0000408000}};
constexpr Address kUcontext{kSignalStack.end.value - 0x800};
constexpr int kMapError = 1;
constexpr std::uint64_t kResume = 1u << 16;

class FakeDebuggee final : public Debuggee {
 public:
  const ArchInfo& arch() const override { return kAmd64; }
  bool is_core() const override { return true; }
  const MemoryReader& memory() const override { return memory_; }
  const ImageMap& images() const override { return images_; }
  std::vector<ThreadInfo> threads() const override { return {}; }
  Result<Registers> registers(std::uint64_t) const override {
    return Error{ErrorCode::not_found, "not asked here"};
  }
  Result<Address> thread_pointer(std::uint64_t) const override {
    return Error{ErrorCode::not_found, "not asked here"};
  }
  bool executable(Address) const override { return true; }
  const MappingList* mappings() const override { return &mappings_; }

  MemoryImage memory_;
  MappingList mappings_{
      std::vector<Mapping>{{.range = {kCode, {0x403000}}, .readable = true, .executable = true}}};

 private:
  ImageMap images_;
};

/// A thread at `mov 0x10(%rax),%rax`, rax leads to nothing; its handler has been left.
struct Spinning {
  FakeDebuggee debuggee;
  PhysicalFrame innermost{.registers = Registers(kAmd64)};

  explicit Spinning(Address ucontext = kUcontext) {
    for (unsigned number = 0; number < 16; ++number)
      innermost.registers.set(number, 0x1000 * (number + 1));
    innermost.registers.set(0, kWild.value - 0x10);
    innermost.registers.set_pc(kCode);
    innermost.registers.set_sp(kSp);
    MemoryImage& memory = debuggee.memory_;
    const auto bytes = [](std::initializer_list<int> all) {
      std::vector<std::byte> out;
      for (const int one : all) out.push_back(static_cast<std::byte>(one));
      return out;
    };
    memory.bytes(kCode, bytes({0x48, 0x8b, 0x40, 0x10, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
                               0x90, 0x90, 0x90, 0x90, 0x90}));
    // mov $15,%rax; syscall
    memory.bytes(kRestorer, bytes({0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05, 0x90}));
    memory.bytes(kSignalStack.begin, std::vector<std::byte>(kSignalStack.bytes()));
    memory.bytes(kStack.begin, std::vector<std::byte>(kStack.bytes()));
    put_frame(ucontext);
  }

  void put_frame(Address at) {
    // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip as DWARF numbers them.
    constexpr unsigned kOrder[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
    debuggee.memory_.pointer({at.value - 8}, kRestorer);
    std::uint64_t offset = 40;
    for (const unsigned number : kOrder) {
      debuggee.memory_.u64({at.value + offset}, *innermost.registers.get(number));
      offset += 8;
    }
    debuggee.memory_.u64({at.value + 176}, kResume)
        .u64({at.value + 192}, 4)
        .u64({at.value + 200}, 14)
        .u64({at.value + 216}, kWild.value)
        .u32({at.value + 304}, SIGSEGV)
        .u32({at.value + 304 + 8}, kMapError)
        .u64({at.value + 304 + 16}, kWild.value);
  }
  void no_siginfo(Address at = kUcontext) {
    debuggee.memory_.u32({at.value + 304}, 0).u32({at.value + 304 + 8}, 0);
  }
  std::optional<Fault> again(std::optional<SignalDetails> now = std::nullopt) const {
    return repeated_fault(debuggee, innermost, now, std::span(&kSignalStack, 1));
  }
};

TEST_CASE("a fault that was handled and will be raised again is known by what its handler left") {
  const auto found = Spinning().again();
  REQUIRE(found);
  CHECK(found->repeats);
  CHECK(found->number == SIGSEGV);
  CHECK(found->code == kMapError);
  CHECK(found->address == kWild);
  CHECK(found->access == Fault::Access::read);
  CHECK(found->pc == kCode);
  CHECK_FALSE(found->handler);
}

TEST_CASE("the handler may have run on the thread's own stack") {
  CHECK(Spinning(Address{kSp.value - 0x1000}).again());
  // In the red zone, and above, lies what the code itself wrote.
  CHECK_FALSE(Spinning(Address{kSp.value - 0x100}).again());
}

TEST_CASE("a handler without siginfo left the page fault's address only") {
  Spinning one;
  one.no_siginfo();
  const auto found = one.again();
  REQUIRE(found);
  CHECK(found->number == SIGSEGV);
  CHECK(found->code == kMapError);
  CHECK(found->address == kWild);
  // Without the flag another signal came at this instruction; the address is of an older fault.
  one.debuggee.memory_.u64({kUcontext.value + 176}, 0);
  CHECK_FALSE(one.again());
}

TEST_CASE("a register, the memory or the instruction that changed ends the repetition") {
  for (unsigned number = 0; number < 17; ++number) {
    Spinning one;
    one.innermost.registers.set(number, *one.innermost.registers.get(number) + 8);
    CHECK_FALSE(one.again());
    one.innermost.registers.forget(number);
    CHECK_FALSE(one.again());
  }
  Spinning mended;
  mended.debuggee.mappings_ =
      MappingList({{.range = {{0xdead000}, {0xdeae000}}, .readable = true, .writable = true}});
  CHECK_FALSE(mended.again());
  Spinning skipped;
  skipped.debuggee.memory_.bytes(kCode, std::vector<std::byte>(16, std::byte{0x90}));
  CHECK_FALSE(skipped.again());
  Spinning returned_elsewhere;
  returned_elsewhere.debuggee.memory_.pointer({kUcontext.value - 8}, kCode);
  CHECK_FALSE(returned_elsewhere.again());
}

TEST_CASE("another signal that the thread stopped with is another fault") {
  const Spinning one;
  CHECK(one.again(SignalDetails{.number = SIGSEGV, .code = kMapError, .fault_address = kWild}));
  CHECK_FALSE(one.again(SignalDetails{.number = SIGBUS, .code = 2, .fault_address = kWild}));
  CHECK(one.again(SignalDetails{.number = SIGSTOP}));
}

TEST_CASE("missing memory tells of no fault") {
  for (std::uint64_t offset = 0; offset < 184; offset += 4) {
    Spinning one;
    one.debuggee.memory_ = one.debuggee.memory_.drop({kUcontext.value - 8 + offset});
    CHECK_FALSE(one.again());
  }
}

}  // namespace
}  // namespace cgo
