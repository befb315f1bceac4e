// The agent's own parts in this process: its tables are read as a debugger reads them, and held
// against what the test did.
#include "agent/recorder.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/dynamic_part.h"
#include "agent/kernel.h"
#include "agent/module_list.h"
#include "agent/options.h"
#include "agent/slot_table.h"
#include "agent/start.h"
#include "heap/agent_tables.h"
#include "target/process_memory.h"

namespace cgo::agent {
namespace {

/// What a hook does; its caller is on the stack like the program.
__attribute__((noinline)) void allocate(std::uint64_t address, std::size_t bytes) {
  record_allocation(reinterpret_cast<void*>(address), bytes, caller_of(__builtin_frame_address(0)));
}
__attribute__((noinline)) bool give_back(std::uint64_t address, bool may_hold_back = false) {
  return record_free(reinterpret_cast<void*>(address), caller_of(__builtin_frame_address(0)),
                     may_hold_back);
}

class Recorded {
 public:
  Recorded() : memory_(getpid()), tables_(opened(memory_)) {
    read_ = tables_.for_each_block([&](const AgentBlock& block) {
      if (block.state == BlockState::live)
        live[block.address.value] = block;
      else
        freed[block.address.value] = block;
      return true;
    });
    totals = tables_.totals().value();
  }
  AgentStack stack(std::uint32_t id) const { return tables_.stack(id).value(); }
  bool whole() const { return read_.has_value(); }

  std::map<std::uint64_t, AgentBlock> live, freed;
  Counters totals{};

 private:
  static AgentTables opened(const MemoryReader& memory) {
    start_agent();
    return AgentTables::open(memory, {reinterpret_cast<std::uint64_t>(&header())}).value();
  }

  ProcessMemory memory_;
  AgentTables tables_;
  Result<void> read_;
};

/// Addresses that no other test uses.
std::uint64_t fresh_addresses() {
  static std::uint64_t next_region = 0x100000000;
  return next_region += 0x10000000;
}

std::size_t live_from(const Recorded& now, std::uint64_t begin) {
  return static_cast<std::size_t>(
      std::distance(now.live.lower_bound(begin), now.live.lower_bound(begin + 0x10000000)));
}

}  // namespace

TEST_CASE("what was allocated is live until it is freed") {
  const std::uint64_t at = fresh_addresses();
  const Recorded before;
  allocate(at, 100);
  allocate(at + 0x70, 24);
  allocate(at + 0x78, 8);  // Aligned to 8 only.
  CHECK(give_back(at + 0x70));
  const Recorded after;
  CHECK(after.whole());
  CHECK(live_from(after, at) == 2);
  CHECK(after.live.at(at).bytes == 100);
  CHECK(after.live.at(at + 0x78).bytes == 8);
  CHECK(after.live.at(at).tid == static_cast<std::uint32_t>(gettid()));
  REQUIRE(after.freed.contains(at + 0x70));
  CHECK(after.freed.at(at + 0x70).freed->tid == static_cast<std::uint32_t>(gettid()));
  CHECK(after.totals.allocations == before.totals.allocations + 3);
  CHECK(after.totals.frees == before.totals.frees + 1);
}

TEST_CASE("a free without a record is counted, and nothing else") {
  const std::uint64_t at = fresh_addresses();
  const Recorded before;
  CHECK(give_back(at));
  CHECK(give_back(0x7fffffffffff0000));
  CHECK(give_back(~std::uint64_t{15}));
  allocate(at, 5);
  CHECK(give_back(at));
  CHECK(give_back(at));
  const Recorded after;
  CHECK(after.totals.unknown_frees == before.totals.unknown_frees + 4);
  CHECK(after.live.size() == before.live.size());
}

namespace {

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* frames) {
  static_cast<std::vector<std::uint64_t>*>(frames)->push_back(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

__attribute__((noinline)) std::vector<std::uint64_t> stack_at(std::uint64_t address, int depth,
                                                              std::size_t space) {
  volatile char* room = static_cast<volatile char*>(__builtin_alloca(space));
  room[0] = 1;
  if (depth > 0) {
    auto frames = stack_at(address, depth - 1, space);
    room[space - 1] = 2;
    return frames;
  }
  std::vector<std::uint64_t> frames;
  _Unwind_Backtrace(add_frame, &frames);
  if (frames.back() == 0) frames.pop_back();
  allocate(address, 16);
  room[space - 1] = 2;
  return frames;
}

}  // namespace

TEST_CASE(
    "stacks are those that the compiler's library unwinds, also of frames without a fixed size") {
  const std::uint64_t at = fresh_addresses();
  std::uint64_t block = at;
  for (const int depth : {0, 1, 5, 20, 60})
    for (const std::size_t space : {16u, 100u, 1000u, 16u, 100u, 2000u}) {
      const auto truth = stack_at(block, depth, space);
      const Recorded now;
      const AgentStack stack = now.stack(now.live.at(block).stack);
      REQUIRE(stack.end == StackEnd::thread_entry);
      REQUIRE(stack.frames.size() == truth.size());
      for (std::size_t i = 1; i < truth.size(); ++i) CHECK(stack.frames[i].pc.value == truth[i]);
      block += 16;
    }
}

TEST_CASE("threads that free each other's blocks leave exactly the others") {
  const std::uint64_t at = fresh_addresses();
  constexpr unsigned kThreads = 4, kSteps = 20000, kBlocks = 2000;
  std::vector<std::atomic<int>> state(kThreads * kBlocks);  // 0 free, 1 live, 2 in between.
  const auto body = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (unsigned i = 0; i < kSteps; ++i) {
      const unsigned slot = random() % state.size();
      int is = state[slot].load();
      if (is == 2 || !state[slot].compare_exchange_strong(is, 2)) continue;
      if (is == 0)
        allocate(at + slot * 48, slot);
      else
        give_back(at + slot * 48);
      state[slot] = 1 - is;
    }
  };
  const Recorded before;
  for (unsigned round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(body, round * kThreads + i);
    for (std::thread& thread : threads) thread.join();
    const Recorded after;
    std::size_t expected = 0;
    for (unsigned slot = 0; slot < state.size(); ++slot) {
      const auto found = after.live.find(at + slot * 48);
      CHECK((found != after.live.end()) == (state[slot] == 1));
      if (state[slot] == 1) ++expected;
      if (found != after.live.end()) CHECK(found->second.bytes == slot);
    }
    CHECK(live_from(after, at) == expected);
    CHECK(after.totals.lost == 0);
    CHECK(after.totals.unknown_frees == before.totals.unknown_frees);
  }
}

TEST_CASE("records of many threads that end are used again") {
  const std::uint64_t at = fresh_addresses();
  for (unsigned round = 0; round < 300; ++round)
    std::thread([&] {
      for (unsigned i = 0; i < 200; ++i) allocate(at + i * 16, i);
      for (unsigned i = 0; i < 200; ++i) give_back(at + i * 16);
    }).join();
  CHECK(live_from(Recorded(), at) == 0);
  CHECK(header().threads.used / sizeof(Thread) < 32);
  CHECK(header().blocks.used / sizeof(Block) < 40000);
}

TEST_CASE("what a signal handler does in the middle is recorded without a stack") {
  const std::uint64_t at = fresh_addresses();
  allocate(at, 1);
  const Recorded before;
  this_thread->busy = 1;
  allocate(at + 16, 2);
  allocate(at + 32, 3);
  give_back(at);
  give_back(at + 32);
  this_thread->busy = 0;
  allocate(at + 48, 4);
  const Recorded after;
  CHECK(live_from(after, at) == 2);
  CHECK(after.live.at(at + 16).stack == 0);
  CHECK(after.live.at(at + 48).stack != 0);
  CHECK(after.totals.without_stack == before.totals.without_stack + 2);
  CHECK(after.totals.allocations == before.totals.allocations + 3);
}

TEST_CASE("an unload of something else leaves stacks what they are") {
  const std::uint64_t at = fresh_addresses();
  const std::uint32_t before = module_epoch;
  volatile int times = 2;  // One call in the code, not two.
  for (int i = 0; i < times; ++i) {
    allocate(at + static_cast<std::uint64_t>(i) * 16, 1);
    begin_unload();
    end_unload();
  }
  const Recorded now;
  CHECK(module_epoch == before + 4);
  CHECK(now.live.at(at).stack == now.live.at(at + 16).stack);
}

TEST_CASE("a forked child goes on with its own tables") {
  const std::uint64_t at = fresh_addresses();
  allocate(at, 1);
  const pid_t child = fork();
  if (child == 0) {
    allocate(at + 16, 2);
    const Recorded now;
    const bool good = now.live.contains(at) && now.live.contains(at + 16) &&
                      now.live.at(at + 16).tid == static_cast<std::uint32_t>(getpid()) &&
                      header().pid == static_cast<std::uint32_t>(getpid()) && header().forks == 1;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK_FALSE(Recorded().live.contains(at + 16));
}

TEST_CASE("realloc takes the record along") {
  const std::uint64_t at = fresh_addresses();
  allocate(at, 1);
  const Detached failed = detach(reinterpret_cast<void*>(at));
  attach_again(reinterpret_cast<void*>(at), failed);
  CHECK(Recorded().live.at(at).bytes == 1);
  const Detached moved = detach(reinterpret_cast<void*>(at));
  free_detached(moved, caller_of(__builtin_frame_address(0)));
  allocate(at + 32, 2);
  const Recorded now;
  CHECK_FALSE(now.live.contains(at));
  CHECK(now.live.at(at + 32).bytes == 2);
}

TEST_CASE("options are words with commas between them") {
  const Options options = parse_options("sample=512k,what=ever,frees=1000,,depth=7,quarantine=1m");
  CHECK(options.sample_bytes == 512 * 1024);
  CHECK(options.kept_frees == 512);
  CHECK(options.most_frames == 7);
  CHECK(options.quarantine_bytes == 1 << 20);
  CHECK(parse_options(nullptr).sample_bytes == 0);
  CHECK(parse_options("frees=99999999999999999999,depth=0").kept_frees == 65536);
  CHECK(parse_options("depth=0,frees=x").most_frames == 1);
}

TEST_CASE("what is forgotten is gone, and what comes then is recorded") {
  const std::uint64_t begin = fresh_addresses();
  for (std::uint64_t i = 0; i < 300; ++i) allocate(begin + i * 64, 40);
  for (std::uint64_t i = 0; i < 50; ++i) CHECK(give_back(begin + i * 64));
  REQUIRE(live_from(Recorded(), begin) == 250);
  forget_blocks();
  const Recorded none;
  CHECK(none.whole());
  CHECK(none.live.empty());
  CHECK(none.freed.empty());
  CHECK(none.totals.allocations == none.totals.frees);
  CHECK(none.totals.allocated_bytes == none.totals.freed_bytes);
  // A free that comes late is one of a block without a record.
  CHECK(give_back(begin + 60 * 64));
  CHECK(Recorded().totals.unknown_frees == none.totals.unknown_frees + 1);
  for (std::uint64_t i = 0; i < 2000; ++i) allocate(begin + i * 64, 48);
  for (std::uint64_t i = 0; i < 1500; ++i) CHECK(give_back(begin + i * 64));
  const Recorded again;
  CHECK(live_from(again, begin) == 500);
  CHECK(again.totals.lost == none.totals.lost);
}

TEST_CASE("what slots held is found again, and never more than there is room for") {
  static SlotTable table;
  REQUIRE(table.make());
  std::vector<std::uint64_t> slots(60'000);
  std::uint32_t put = 0;
  for (std::uint64_t& slot : slots) put += table.put(&slot, put + 1) ? 1 : 0;
  CHECK(put == table.count());
  CHECK(put < slots.size());
  for (std::uint32_t i = 0; i < put; ++i) REQUIRE(table.value_of(&slots[i]) == i + 1);
  CHECK(table.value_of(&slots.back()) == 0);
  CHECK(table.put(slots.data(), 77));
  CHECK(table.value_of(slots.data()) == 77);
  CHECK_FALSE(table.put(&slots.back(), 1));
}

TEST_CASE("functions and slots of loaded files are those that the loader has") {
  unsigned with_malloc = 0, leading_to_it = 0;
  const auto real = reinterpret_cast<std::uint64_t>(dlsym(RTLD_DEFAULT, "malloc"));
  const auto visit = [&](const DynamicPart& part) {
    if (function_in(part, "malloc") != 0 && function_in(part, "malloc") == real) ++with_malloc;
    CHECK(function_in(part, "there_is_no_such_function") == 0);
    for_each_slot(part, [&](const Slot& slot) {
      if (std::string_view(slot.name) == "malloc" && *slot.at == real) ++leading_to_it;
    });
  };
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        DynamicPart part;
        if (read_dynamic_part(*info, part)) (*static_cast<const decltype(visit)*>(data))(part);
        return 0;
      },
      const_cast<void*>(static_cast<const void*>(&visit)));
  CHECK(with_malloc == 1);
  CHECK(leading_to_it >= 1);
}

TEST_CASE("whether memory can be written to is told without a change") {
  static std::uint64_t word = 0x1122334455667788;
  static const std::uint64_t constant = 7;
  CHECK(writable(reinterpret_cast<std::uint64_t>(&word)));
  CHECK(word == 0x1122334455667788);
  CHECK_FALSE(writable(reinterpret_cast<std::uint64_t>(&constant)));
  CHECK_FALSE(writable(0));
}

}  // namespace cgo::agent
