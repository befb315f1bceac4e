#include "unwind/mutex_wait.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kPc{0x7f0000001002}, kMutex{0x57c4a0};

struct Waiting {
  MemoryImage memory;
  Walk walk;
  Stack stack;

  Waiting() {
    memory.u8({kPc.value - 2}, 0x0f).u8({kPc.value - 1}, 0x05);
    for (std::uint64_t i = 0; i < 40; ++i) memory.u8({kMutex.value + i}, 0);
    memory.u32(kMutex, 2).u32({kMutex.value + 8}, 4711);
    Registers registers(kAmd64);
    registers.set_pc(kPc);
    registers.set(5, kMutex.value);
    walk.elements.emplace_back(
        PhysicalFrame{.pc = {kPc, CodeAddress::Origin::program_counter}, .registers = registers});
    for (const char* name : {"futex_wait", "__lll_lock_wait", "___pthread_mutex_lock", "take"}) {
      Frame frame;
      frame.language = Language::c;
      frame.function = name;
      stack.elements.emplace_back(frame);
    }
  }
  std::optional<MutexWait> wait() const { return mutex_wait(memory, walk, stack); }
  Frame& frame(std::size_t index) { return std::get<Frame>(stack.elements[index]); }
  Registers& registers() { return std::get<PhysicalFrame>(walk.elements[0]).registers; }
};

}  // namespace

TEST_CASE("a thread in glibc's futex call of a lock waits for that mutex") {
  const Waiting waiting;
  const auto wait = waiting.wait();
  REQUIRE(wait);
  CHECK(wait->mutex == kMutex);
  CHECK(wait->owner == 4711);
}

TEST_CASE("without certainty there is no wait") {
  Waiting no_lock;
  no_lock.frame(2).function = "pthread_cond_wait";
  CHECK_FALSE(no_lock.wait());

  Waiting go;
  go.frame(0).language = Language::go;
  CHECK_FALSE(go.wait());

  Waiting far;  // The program's own function that has such a name, below others.
  far.frame(2).function = "x";
  far.stack.elements.push_back(far.stack.elements[0]);
  Frame own;
  own.language = Language::c;
  own.function = "my_pthread_mutex_lock";
  far.stack.elements.emplace_back(own);
  CHECK_FALSE(far.wait());

  Waiting running;  // Not in a system call.
  running.memory.u8({kPc.value - 1}, 0x90);
  CHECK_FALSE(running.wait());

  Waiting free;
  free.memory.u32(kMutex, 0);
  CHECK_FALSE(free.wait());

  Waiting odd;
  odd.registers().set(5, kMutex.value + 4);
  CHECK_FALSE(odd.wait());

  Waiting unknown;
  unknown.registers().forget(5);
  CHECK_FALSE(unknown.wait());

  Waiting no_mutex;  // Its kind is none of glibc's.
  no_mutex.memory.u32({kMutex.value + 16}, 0xdeadbeef);
  CHECK_FALSE(no_mutex.wait());

  Waiting empty;
  empty.walk.elements.clear();
  CHECK_FALSE(empty.wait());
}

TEST_CASE("memory that is missing makes a wait unknown") {
  const Waiting whole;
  for (const Address hole : whole.memory.addresses()) {
    Waiting cut = whole;
    cut.memory = whole.memory.drop(hole);
    CHECK_FALSE(cut.wait());
  }
}

}  // namespace cgo
