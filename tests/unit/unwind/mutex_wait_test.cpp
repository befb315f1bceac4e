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
    registers.set(4, 128);  // FUTEX_WAIT, private.
    walk.elements.emplace_back(
        PhysicalFrame{.pc = {kPc, CodeAddress::Origin::program_counter}, .registers = registers});
    for (const char* name : {"futex_wait", "__lll_lock_wait", "___pthread_mutex_lock", "take"}) {
      Frame frame;
      frame.language = Language::c;
      frame.function = name;
      frame.module = "libc.so.6";
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

TEST_CASE("every kind of mutex and every way to lock it is known") {
  for (const std::uint32_t kind :
       {0u, 1u, 2u, 3u, 0x100u, 0x200u, 0x210u, 0x220u, 0x240u, 0x280u, 0x290u}) {
    Waiting waiting;
    waiting.memory.u32({kMutex.value + 16}, kind);
    CHECK(waiting.wait());
  }
  for (const char* name : {"pthread_mutex_lock", "__pthread_mutex_lock_full",
                           "__GI___pthread_mutex_lock", "___pthread_mutex_timedlock",
                           "__pthread_mutex_clocklock_common", "__pthread_mutex_cond_lock"}) {
    Waiting waiting;
    waiting.frame(2).function = name;
    REQUIRE(waiting.wait());
    const std::string_view text = name;
    CHECK(waiting.wait()->timed == (text.ends_with("timedlock") || text.ends_with("common")));
  }
  for (const std::uint64_t operation : {0ull, 128ull, 6 | 128ull, 9 | 128 | 256ull, 13 | 128ull}) {
    Waiting waiting;
    waiting.registers().set(4, operation);
    CHECK(waiting.wait());
  }
}

TEST_CASE("without certainty there is no wait") {
  Waiting no_lock;
  no_lock.frame(2).function = "pthread_cond_wait";
  CHECK_FALSE(no_lock.wait());

  Waiting go;
  go.frame(0).language = Language::go;
  CHECK_FALSE(go.wait());

  Waiting named_so;  // A wrapper of the program's.
  named_so.frame(2).function = "traced_pthread_mutex_lock";
  CHECK_FALSE(named_so.wait());

  Waiting interposed;
  interposed.frame(2).module = "service";
  CHECK_FALSE(interposed.wait());

  Waiting unlocks;
  unlocks.frame(2).function = "pthread_mutex_unlock";
  CHECK_FALSE(unlocks.wait());

  for (const std::uint64_t operation : {1ull, 3ull, 129ull, 0x7ffd0000ull}) {  // FUTEX_WAKE, poll …
    Waiting other;
    other.registers().set(4, operation);
    CHECK_FALSE(other.wait());
  }

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

TEST_CASE("a wait in code without names is told apart from none") {
  Waiting named;
  CHECK_FALSE(waits_for_unknown_futex(named.memory, named.walk, named.stack));
  Waiting stripped;
  for (std::size_t i = 0; i < 3; ++i) stripped.frame(i).function = "";
  stripped.frame(3).function = "runtime.asmcgocall";
  stripped.frame(3).language = Language::assembly;
  stripped.frame(3).plumbing = true;
  CHECK_FALSE(stripped.wait());
  CHECK(waits_for_unknown_futex(stripped.memory, stripped.walk, stripped.stack));
  stripped.registers().set(4, 129);  // It wakes others.
  CHECK_FALSE(waits_for_unknown_futex(stripped.memory, stripped.walk, stripped.stack));
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
