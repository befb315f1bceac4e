#include "unwind/crash_cause.h"

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstring>

#include "support/memory_image.h"
#include "target/arch.h"

namespace cgo {
namespace {

constexpr Address kUcontext{0x10000};
constexpr std::uint64_t kSiginfoOffset = 304;
constexpr int kByUser = 0, kMapError = 1, kByKernel = 0x80, kByTkill = -6;

MemoryImage siginfo(std::int32_t number, std::int32_t code, std::uint64_t address = 0) {
  std::vector<std::byte> bytes(128);
  std::memcpy(bytes.data(), &number, sizeof number);
  std::memcpy(bytes.data() + 8, &code, sizeof code);
  std::memcpy(bytes.data() + 16, &address, sizeof address);
  MemoryImage memory;
  memory.bytes({kUcontext.value + kSiginfoOffset}, bytes);
  return memory;
}

PhysicalFrame go(std::string_view name) {
  PhysicalFrame frame{.registers = Registers(kAmd64)};
  frame.go = GoFunction{.name = name};
  return frame;
}

PhysicalFrame c() { return PhysicalFrame{.registers = Registers(kAmd64)}; }

PhysicalFrame trampoline() {
  PhysicalFrame frame = c();
  frame.registers.set_sp(kUcontext);
  frame.crossing = Crossing::signal;
  return frame;
}

Walk walk(std::vector<PhysicalFrame> frames) {
  Walk walk;
  for (PhysicalFrame& frame : frames) walk.elements.emplace_back(std::move(frame));
  return walk;
}

CrashEvidence handles(std::int32_t number, std::int32_t code, PhysicalFrame interrupted,
                      std::uint64_t address = 0) {
  return crash_evidence(
      walk({go("runtime.usleep"), go("runtime.sighandler"), trampoline(), std::move(interrupted)}),
      siginfo(number, code, address));
}

TEST_CASE("a fault is a signal that the kernel raised") {
  const CrashEvidence fault = handles(SIGSEGV, kMapError, c(), 0x1234);
  REQUIRE(fault.fault);
  CHECK(fault.fault->fault_address == Address{0x1234});
  CHECK_FALSE(handles(SIGSEGV, kByUser, c()).fault);
  CHECK_FALSE(handles(SIGQUIT, kByUser, c()).fault);
  const CrashEvidence protection = handles(SIGSEGV, kByKernel, c());
  REQUIRE(protection.fault);
  CHECK_FALSE(protection.fault->fault_address);
}

TEST_CASE("abort of C is not what the Go runtime raises in the end") {
  CHECK(handles(SIGABRT, kByTkill, c()).aborts);
  CHECK_FALSE(handles(SIGABRT, kByTkill, go("runtime.raise")).aborts);
  CHECK_FALSE(handles(SIGABRT, kByUser, c()).aborts);
}

TEST_CASE("a siginfo that cannot be read tells nothing") {
  const Walk walked = walk({trampoline(), c()});
  const CrashEvidence evidence = crash_evidence(walked, MemoryImage{});
  CHECK_FALSE(evidence.fault);
  CHECK_FALSE(evidence.aborts);
}

TEST_CASE("the thread of the fault is named among those that SIGQUIT was passed on to") {
  const CrashEvidence relayed = handles(SIGQUIT, kByUser, go("runtime.futex"));
  const std::vector<CrashEvidence> threads{relayed, relayed, handles(SIGSEGV, kMapError, c(), 0x10),
                                           relayed};
  const auto cause = crash_cause(threads);
  REQUIRE(cause);
  CHECK(cause->thread == 2);
  CHECK(cause->what == "SIGSEGV at 0x10");
}

TEST_CASE("where several threads look like it, none is named") {
  const CrashEvidence fault = handles(SIGSEGV, kMapError, c());
  const CrashEvidence panics{.panics = true, .dies = true};
  CHECK_FALSE(crash_cause(std::vector{fault, fault}));
  CHECK_FALSE(crash_cause(std::vector{fault, panics}));
  CHECK_FALSE(crash_cause(std::vector<CrashEvidence>(3)));
  CHECK_FALSE(crash_cause({}));
}

TEST_CASE("of two that panic the one that got further was first") {
  const CrashEvidence waits =
      crash_evidence(walk({go("runtime.lock2"), go("runtime.fatalpanic")}), MemoryImage{});
  const CrashEvidence dies = crash_evidence(
      walk({go("runtime.raise"), go("runtime.dieFromSignal"), go("runtime.fatalpanic")}),
      MemoryImage{});
  const auto cause = crash_cause(std::vector{waits, dies});
  REQUIRE(cause);
  CHECK(cause->thread == 1);
  CHECK_FALSE(crash_cause(std::vector{waits, waits}));
}

}  // namespace
}  // namespace cgo
