#include "stops/long_jump.h"

#include <setjmp.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"
#include "support/this_c_library.h"
#include "target/process_memory.h"

namespace cgo {
namespace {

using Kind = JumpFate::Kind;

/// A frame of C, of Go where `go` names a function.
PhysicalFrame frame(std::uint64_t sp, std::uint64_t cfa, const char* go = nullptr) {
  PhysicalFrame out{.pc = {{0x401000}}, .registers = Registers(kAmd64), .cfa = {cfa}};
  out.registers.set_sp({sp});
  if (go != nullptr) out.go = GoFunction{.name = go};
  return out;
}

Walk walk_of(std::vector<std::variant<PhysicalFrame, Gap>> elements, StopReason stop) {
  return {.elements = std::move(elements), .stop = stop};
}

JumpFate fate_of(const Walk& walk, std::uint64_t sp) {
  return jump_fate(MemoryImage(), ImageMap(), walk, {{0x6000}, {0x8000}},
                   {.pc = {0x401000}, .sp = {sp}});
}

}  // namespace

TEST_CASE("a jmp_buf of this process's C library leads to where setjmp was called") {
  const CLibrary library = this_c_library();
  REQUIRE(library.found);
  const ProcessMemory memory(getpid());
  // The code of this test, beside the C library: any executable image counts.
  jmp_buf buffer;
  const Address at{reinterpret_cast<std::uintptr_t>(&buffer)};
  if (setjmp(buffer) == 0) {
    // Its pc is not in the C library: not believed.
    CHECK_FALSE(read_jump_buffer(memory, library.images, at, {thread_pointer()}));
    const ImageMap all = all_images();
    const auto target = read_jump_buffer(memory, all, at, {thread_pointer()});
    REQUIRE(target);
    std::uint64_t sp = 0;
    __asm__("mov %%rsp,%0" : "=r"(sp));
    // The compiler may have pushed more since.
    CHECK(target->sp >= Address{sp});
    CHECK(target->sp.value < reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
    CHECK(all.executable(target->pc));
  }
}

TEST_CASE("musl's jmp_buf is not mixed with a secret") {
  const ProcessMemory process(getpid());
  const ImageMap all = all_images();
  const auto code = reinterpret_cast<std::uintptr_t>(&fate_of);
  MemoryImage memory;
  memory.u64({0x1030}, 0x7000).u64({0x1038}, code).u64({0x2030}, 0x1234567890abcdef);
  const auto target = read_jump_buffer(memory, all, {0x1000}, {0x2000});
  REQUIRE(target);
  CHECK(target->sp == Address{0x7000});
  CHECK(target->pc == Address{code});
  for (const Address hole : memory.addresses()) {
    const auto without = read_jump_buffer(memory.drop(hole), all, {0x1000}, {0x2000});
    if (hole.value < 0x2000) CHECK_FALSE(without);
  }
}

TEST_CASE("a jump that leads to no known frame is not said to be harmless") {
  const Walk whole =
      walk_of({frame(0x7000, 0x7100), frame(0x7100, 0x7200)}, StopReason::thread_entry);
  CHECK(fate_of(whole, 0x9000).kind == Kind::elsewhere);
  CHECK(fate_of(whole, 0x6ff8).kind == Kind::returned);
  CHECK(fate_of(whole, 0x5ff8).kind == Kind::elsewhere);
  CHECK(fate_of(walk_of({}, StopReason::no_rule), 0x7000).kind == Kind::unknown);
  const Walk cut = walk_of({frame(0x7000, 0x7100)}, StopReason::no_rule);
  CHECK(fate_of(cut, 0x7180).kind == Kind::unknown);
  const Walk gap = walk_of({frame(0x7000, 0x7100), Gap{"gone"}, frame(0x7200, 0x7300)},
                           StopReason::thread_entry);
  CHECK(fate_of(gap, 0x7280).kind == Kind::unknown);
  CHECK(fate_of(gap, 0x7280).why == "gone");
  // Without symbols and tables nothing tells which function the frame is of.
  CHECK(fate_of(whole, 0x7110).kind == Kind::unknown);
}

}  // namespace cgo
