#include "goruntime/scheduler.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/layout_table.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kSched{0x500000}, kAllp{0x500400}, kGomaxprocs{0x500500}, kAllm{0x500600};
constexpr Address kList{0xc000800000}, kP{0xc000900000}, kM{0xc000a00000};
constexpr std::uint32_t kRing = 4;

SchedulerLayout layout() {
  SchedulerLayout out;
  out.idle_machines = {0, 4};
  out.idle_processors = {4, 4};
  out.spinning = {8, 4};
  out.stop_wait = {12, 4};
  out.gc_waiting = {16, 1};
  out.sysmon_waiting = {17, 1};
  out.idle_locked = {20, 4};
  out.made_machines = {24, 8};
  out.freed_machines = {32, 8};
  out.queue_head = {40, 8};
  out.queue_size = {48, 4};
  out.p_bytes = 96;
  out.p_id = {0, 4};
  out.p_status = {4, 4};
  out.p_m = {8, 8};
  out.p_scheduled = {16, 4};
  out.p_syscalls = {20, 4};
  out.p_queue_head = {24, 4};
  out.p_queue_tail = {28, 4};
  out.p_queue = {32, kRing * 8};
  out.p_next = {64, 8};
  const std::uint32_t m = layout_from_table({27, 4}, kAmd64)->m.bytes;
  out.m_p = {m - 8, 8};
  out.m_spinning = {m - 9, 1};
  out.m_blocked = {m - 10, 1};
  out.m_locks = {m - 16, 4};
  out.m_cgo_calls = {m - 24, 8};
  out.g_link = {8, 8};
  return out;
}

/// One P with a ring that goes over its end, one M, two goroutines in the global queue.
MemoryImage sample() {
  MemoryImage memory;
  for (std::uint64_t i = 0; i < 56; ++i) memory.u8({kSched.value + i}, 0);
  memory.u32(kSched, 3).u32({kSched.value + 4}, 1).u8({kSched.value + 16}, 1);
  memory.u64({kSched.value + 24}, 9).u64({kSched.value + 32}, 2);
  memory.u64({kSched.value + 40}, 0x7000).u32({kSched.value + 48}, 2);
  memory.u64({0x7008}, 0x7100).u64({0x7108}, 0);
  memory.u32(kGomaxprocs, 2);
  memory.pointer(kAllp, kList).u64({kAllp.value + 8}, 1).pointer(kList, kP);
  for (std::uint64_t i = 0; i < 96; ++i) memory.u8({kP.value + i}, 0);
  memory.u32(kP, 5).u32({kP.value + 4}, 1).pointer({kP.value + 8}, kM);
  memory.u32({kP.value + 24}, 0xffffffff).u32({kP.value + 28}, 2);  // Places 3, 0, 1.
  memory.u64({kP.value + 32 + 24}, 0x8000).u64({kP.value + 32}, 0x8100);
  memory.u64({kP.value + 40}, 0x8200).u64({kP.value + 64}, 0x8300);
  const MLayout m = layout_from_table({27, 4}, kAmd64)->m;
  memory.pointer(kAllm, kM);
  for (std::uint64_t i = 0; i < m.bytes; ++i) memory.u8({kM.value + i}, 0);
  memory.u64({kM.value + m.procid.bytes}, 4711);
  memory.pointer({kM.value + layout().m_p.offset}, kP);
  memory.u8({kM.value + layout().m_spinning.offset}, 1);
  return memory;
}

Result<SchedulerState> read(const MemoryReader& memory) {
  GoRuntime::Parts parts;
  parts.version = {27, 4};
  parts.layout = *layout_from_table({27, 4}, kAmd64);
  parts.allm = kAllm;
  const GoRuntime runtime(std::move(parts));
  return read_scheduler(memory, runtime, layout(), {kSched, kAllp, kGomaxprocs});
}

}  // namespace

TEST_CASE("the scheduler has its counts, its Ps with their queues, and its Ms") {
  const auto state = read(sample());
  REQUIRE(state);
  CHECK(state->problems.empty());
  CHECK(state->gomaxprocs == 2);
  CHECK(state->threads == 7);
  CHECK(state->idle_threads == 3);
  CHECK(state->idle_processors == 1);
  CHECK(state->gc_waiting);
  CHECK_FALSE(state->sysmon_waiting);
  CHECK(state->queue == std::vector<Address>{{0x7000}, {0x7100}});
  REQUIRE(state->processors.size() == 1);
  const Processor& p = state->processors[0];
  CHECK(p.id == 5);
  CHECK(p.status == PStatus::running);
  CHECK(p.m == kM);
  CHECK(p.queue_length == 3);
  CHECK(p.queue == std::vector<Address>{{0x8300}, {0x8000}, {0x8100}, {0x8200}});
  REQUIRE(state->machines.size() == 1);
  CHECK(state->machines[0].machine.procid == 4711);
  CHECK(state->machines[0].p == kP);
  CHECK(state->machines[0].spinning);
  CHECK_FALSE(state->machines[0].blocked);
}

TEST_CASE("what makes no sense in the scheduler is said, and the rest is told") {
  MemoryImage memory = sample();
  memory.u32({kP.value + 28}, 4);  // Five in a ring of four.
  auto state = read(memory);
  REQUIRE(state);
  CHECK(state->processors.empty());
  CHECK(state->problems.size() == 1);
  CHECK(state->machines.size() == 1);

  memory = sample();
  memory.u64({0x7108}, 0x7000);  // In a circle.
  state = read(memory);
  REQUIRE(state);
  CHECK(state->queue.size() == 2);
  REQUIRE(state->problems.size() == 1);
  CHECK(state->problems[0].message.find("runtime counted: 2") != std::string::npos);

  memory = sample();
  memory.u32({kSched.value + 48}, 0xffffffff).u64({0x7108}, 0x7000);  // A negative count.
  state = read(memory);
  REQUIRE(state);
  CHECK(state->queue.empty());
  CHECK(state->problems.size() == 1);

  memory = sample();
  memory.u64({kAllp.value + 8}, std::uint64_t{1} << 60);
  state = read(memory);
  REQUIRE(state);
  CHECK(state->processors.empty());
  CHECK(state->problems.size() == 1);
}

TEST_CASE("each missing byte of the scheduler is a problem or no answer") {
  const MemoryImage whole = sample();
  for (const Address hole : whole.addresses()) {
    const auto state = read(whole.drop(hole));
    if (!state) continue;
    const bool used = hole.value < kSched.value + 52 || hole.value >= kAllp.value;
    CAPTURE(hole.value);
    // Fillers between fields are read as well, or not at all: only what is told has to be right.
    for (const Processor& p : state->processors) CHECK(p.queue.size() == 4);
    if (state->problems.empty() && used) CHECK(state->gomaxprocs == 2);
  }
}

TEST_CASE("numbers of a P's state that no release has are shown as numbers") {
  CHECK(format_status(PStatus::syscall) == "syscall");
  CHECK(format_status(static_cast<PStatus>(17)) == "status 17");
}

}  // namespace cgo
