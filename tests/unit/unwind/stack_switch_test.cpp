#include "unwind/stack_switch.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

// One goroutine stack and one system stack, as in docs/architecture.md.
constexpr AddressRange kUserStack{{0xc000010000}, {0xc000012000}};
constexpr Address kSystemSp{0x7ffe0000};
constexpr Address kG{0xc000001000}, kG0{0x5000};
constexpr Address kCallerPc{0x401234};
constexpr unsigned kRdx = 1, kR12 = 12;

SwitchContext context() {
  SwitchContext out;
  out.user = Goroutine{.address = kG, .id = 1, .stack = kUserStack};
  out.user->sched = {.pc = {0x402008}, .sp = {0xc000011f00}, .bp = {0xc000011f40}};
  out.g0 = Goroutine{.address = kG0, .stack = {{0x7ff00000}, {0x7fff0000}}};
  out.g0->sched.sp = kSystemSp;
  out.gsignal = Goroutine{.address = {0x6000}, .stack = {{0xc000020000}, {0xc000028000}}};
  return out;
}

Registers registers_at(Address sp) {
  Registers registers(kAmd64);
  registers.set_pc({0x403000});
  registers.set_sp(sp);
  return registers;
}

struct Site {
  GoFunction function;
  GoVersion version{25, 0};
  std::uint32_t frame_bytes = 8;
  Registers registers = registers_at(kSystemSp);
  bool innermost = false;

  explicit Site(FuncId id, std::string_view name = "") {
    function.id = id;
    function.name = name;
  }
  Result<std::optional<Switched>> run(const MemoryReader& memory,
                                      const SwitchContext& stacks) const {
    return switch_stack(stacks, {memory, function, version, frame_bytes, registers, innermost});
  }
};

/// The frame that a step as if at `sp` with 8 bytes of frame finds: saved fp, then return address.
void put_frame(MemoryImage& memory, Address sp) {
  memory.u64(sp, 0xc000011fe0).pointer({sp.value + 8}, kCallerPc);
}

}  // namespace

TEST_CASE("asmcgocall: the slots hold a depth, because the goroutine's stack may have moved") {
  const GoVersion version =
      GENERATE(GoVersion{19, 8}, GoVersion{21, 13}, GoVersion{22, 0}, GoVersion{27, 4});
  // Measured: see the table in unwind/stack_switch.cpp and its source.
  const std::uint64_t depth_at = version.minor <= 21 ? 0x28 : 0x00;
  const std::uint64_t g_at = version.minor <= 21 ? 0x30 : 0x08;
  const Address go_sp{0xc000011e00};
  MemoryImage memory;
  memory.u64({kSystemSp.value + depth_at}, kUserStack.end.value - go_sp.value);
  memory.pointer({kSystemSp.value + g_at}, kG);
  put_frame(memory, go_sp);
  Site site(FuncId::asmcgocall);
  site.version = version;

  const auto out = site.run(memory, context());
  REQUIRE(out);
  REQUIRE(out->has_value());
  CHECK((*out)->registers.pc() == kCallerPc);
  CHECK((*out)->registers.sp() == Address{go_sp.value + 16});
  CHECK((*out)->registers.fp() == Address{0xc000011fe0});

  SECTION("and every byte it needs is reported when missing") {
    for (Address hole : memory.addresses()) {
      const auto without = site.run(memory.drop(hole), context());
      REQUIRE_FALSE(without);
      CHECK(without.error().address == hole);
    }
  }
}

TEST_CASE("asmcgocall: slots that cannot be true are refused") {
  MemoryImage memory;
  const auto slots = [&](std::uint64_t depth, Address g) {
    memory.u64(kSystemSp, depth).pointer({kSystemSp.value + 8}, g);
  };
  const Site site(FuncId::asmcgocall);
  SECTION("a depth beyond the stack") { slots(kUserStack.bytes(), kG); }
  SECTION("no depth at all") { slots(0, kG); }
  SECTION("another goroutine") { slots(0x200, {0xc000009000}); }
  SECTION("an old SP that lies inside") { slots(kSystemSp.value, {}); }
  SECTION("a release without a row") {
    slots(0x200, kG);
    Site future(FuncId::asmcgocall);
    future.version = {28, 0};
    const auto out = future.run(memory, context());
    REQUIRE_FALSE(out);
    CHECK(out.error().code == ErrorCode::unsupported);
  }
  const auto out = site.run(memory, context());
  if (out) CHECK(out->has_value() == false);
}

TEST_CASE("asmcgocall on a system stack keeps the old SP itself") {
  MemoryImage memory;
  const Address old_sp{kSystemSp.value + 0x40};
  memory.pointer(kSystemSp, old_sp).pointer({kSystemSp.value + 8}, {});
  put_frame(memory, old_sp);
  const auto out = Site(FuncId::asmcgocall).run(memory, context());
  REQUIRE(out);
  CHECK((*out)->registers.sp() == Address{old_sp.value + 16});
}

TEST_CASE("asmcgocall stopped before its call: the old SP is in rdx, the slots are stale") {
  MemoryImage memory;
  memory.u64(kSystemSp, 0x1000).pointer({kSystemSp.value + 8}, kG);  // From an earlier call.
  const SwitchContext stacks = context();
  put_frame(memory, stacks.user->sched.sp);
  Site site(FuncId::asmcgocall);
  site.innermost = true;
  site.registers.set(kRdx, stacks.user->sched.sp.value);
  const auto out = site.run(memory, stacks);
  REQUIRE(out);
  CHECK((*out)->registers.sp() == Address{stacks.user->sched.sp.value + 16});
}

TEST_CASE("on the goroutine's own stack these functions are ordinary frames") {
  const FuncId id =
      GENERATE(FuncId::asmcgocall, FuncId::systemstack, FuncId::morestack, FuncId::mcall);
  Site site(id);
  site.registers = registers_at({0xc000011000});
  const auto out = site.run(MemoryImage{}, context());
  REQUIRE(out);
  CHECK_FALSE(out->has_value());
}

TEST_CASE("systemstack continues where the goroutine's gobuf says") {
  MemoryImage memory;
  const SwitchContext stacks = context();
  put_frame(memory, stacks.user->sched.sp);
  const auto out = Site(FuncId::systemstack).run(memory, stacks);
  REQUIRE(out);
  CHECK((*out)->registers.pc() == kCallerPc);
  CHECK((*out)->crossing == Crossing::system_stack);

  SECTION("but not on the signal stack, nor before it has switched") {
    Site on_signal(FuncId::systemstack);
    on_signal.registers = registers_at({0xc000021000});
    CHECK_FALSE(on_signal.run(memory, stacks)->has_value());
    Site before(FuncId::systemstack);
    before.innermost = true;
    before.registers = registers_at({kSystemSp.value - 0x100});
    CHECK_FALSE(before.run(memory, stacks)->has_value());
  }
}

TEST_CASE("morestack and mcall lead to sched; without a goroutine they are where a stack begins") {
  const FuncId id = GENERATE(FuncId::morestack, FuncId::mcall);
  const auto out = Site(id).run(MemoryImage{}, context());
  REQUIRE(out);
  CHECK((*out)->registers.pc() == Address{0x402008});
  CHECK((*out)->registers.sp() == Address{0xc000011f00});

  SwitchContext none = context();
  none.user.reset();
  const auto begin = Site(id).run(MemoryImage{}, none);
  REQUIRE(begin);
  CHECK((*begin)->ends_stack);
}

TEST_CASE("a goroutine that cannot be read is an error, not the begin of a stack") {
  const FuncId id = GENERATE(FuncId::morestack, FuncId::mcall, FuncId::systemstack);
  SwitchContext stacks = context();
  stacks.user.reset();
  stacks.user_error = Error{ErrorCode::malformed_data, "g.stack is empty or reversed", {}};
  const auto out = Site(id).run(MemoryImage{}, stacks);
  REQUIRE_FALSE(out);
  CHECK(out.error().message.find("reversed") != std::string::npos);
}

TEST_CASE("morestack while copystack moves the stack: the saved SP lies outside") {
  SwitchContext stacks = context();
  stacks.user->stack.begin.value += 0x100000;
  stacks.user->stack.end.value += 0x100000;
  const auto out = Site(FuncId::morestack).run(MemoryImage{}, stacks);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == ErrorCode::malformed_data);
}

TEST_CASE("a vDSO call goes on at what the m remembers, once") {
  SwitchContext stacks = context();
  stacks.vdso_sp = {0xc000011d00};
  stacks.vdso_pc = {0x404444};
  MemoryImage memory;
  memory.u64({0xc000011d00 - 16}, 0xc000011fff);
  const auto out = Site(FuncId::normal, "runtime.nanotime1").run(memory, stacks);
  REQUIRE(out);
  CHECK((*out)->registers.pc() == Address{0x404444});
  CHECK((*out)->registers.sp() == Address{0xc000011d00});
  CHECK((*out)->uses_vdso);

  stacks.vdso_sp = {};
  CHECK_FALSE(Site(FuncId::normal, "runtime.nanotime1").run(memory, stacks)->has_value());
}

TEST_CASE("nanotime1 between its stack switch and the vDSO: the old SP is in r12") {
  MemoryImage memory;
  put_frame(memory, {0xc000011d00});
  Site site(FuncId::normal, "runtime.nanotime1");
  site.innermost = true;
  site.registers.set(kR12, 0xc000011d00);
  const auto out = site.run(memory, context());
  REQUIRE(out);
  REQUIRE(out->has_value());
  CHECK((*out)->registers.pc() == kCallerPc);
}

TEST_CASE("goexit ends a goroutine, rt0_go a thread") {
  const auto goexit = Site(FuncId::goexit).run(MemoryImage{}, context());
  CHECK((*goexit)->stop == StopReason::goroutine_entry);
  const auto rt0 = Site(FuncId::rt0_go).run(MemoryImage{}, context());
  CHECK((*rt0)->stop == StopReason::thread_entry);
}

TEST_CASE("crosscall2 gives the C caller its registers back") {
  const GoVersion version = GENERATE(GoVersion{19, 8}, GoVersion{22, 0});
  const bool old = version.minor <= 21;
  constexpr Address kCfa{0x7ffe1000};
  MemoryImage memory;
  const auto put = [&](std::uint64_t below, std::uint64_t value) {
    memory.u64({kCfa.value - below}, value);
  };
  // Measured offsets below the CFA.
  put(0x10, 6);
  put(old ? 0x38 : 0x40, 3);
  put(old ? 0x30 : 0x38, 12);
  put(old ? 0x28 : 0x30, 13);
  put(old ? 0x20 : 0x28, 14);
  put(old ? 0x18 : 0x20, 15);
  Registers caller(kAmd64);
  REQUIRE(restore_c_registers(memory, version, kCfa, caller));
  for (unsigned number : {3u, 6u, 12u, 13u, 14u, 15u}) CHECK(caller.get(number) == number);
  for (Address hole : memory.addresses()) {
    Registers scratch(kAmd64);
    const auto missing = restore_c_registers(memory.drop(hole), version, kCfa, scratch);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().address == hole);
  }
}

TEST_CASE("a signal frame holds all registers of what it interrupted") {
  constexpr Address kUcontext{0x7ffe2000};
  MemoryImage memory;
  for (std::uint64_t i = 0; i < 17; ++i) memory.u64({kUcontext.value + 40 + 8 * i}, 100 + i);
  const auto registers = registers_from_ucontext(memory, kAmd64, kUcontext);
  REQUIRE(registers);
  CHECK(registers->get(8) == 100);  // r8 comes first
  CHECK(registers->get(5) == 108);  // rdi
  CHECK(registers->get(6) == 110);  // rbp
  CHECK(registers->sp() == Address{115});
  CHECK(registers->pc() == Address{116});
  for (Address hole : memory.addresses()) {
    const auto missing = registers_from_ucontext(memory.drop(hole), kAmd64, kUcontext);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().address == hole);
  }
}

}  // namespace cgo
