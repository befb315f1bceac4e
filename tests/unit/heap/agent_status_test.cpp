#include "heap/agent_status.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/memory_image.h"

namespace cgo {
namespace {

using Kind = AgentStatus::Kind;

constexpr Address kHeader{0x10000}, kStacks{0x30000}, kThreads{0x50000};

agent::Table table(Address at, std::uint64_t used, std::uint32_t entry_bytes) {
  return {.address = at.value,
          .used = used,
          .committed = 4096,
          .reserved = 1 << 20,
          .entry_bytes = entry_bytes,
          .unused = 0};
}

agent::Header header() {
  agent::Header header{};
  std::memcpy(header.magic, agent::kMagic, sizeof(header.magic));
  header.version = agent::kFormatVersion;
  header.header_bytes = sizeof(header);
  header.state = agent::State::recording;
  header.sample_bytes = 512;
  header.start = {.monotonic_ns = 1000, .realtime_ns = 5'000'000};
  header.blocks = table({0x20000}, sizeof(agent::Block), sizeof(agent::Block));
  // None, one of two frames, one of none.
  header.stacks = table(kStacks, 16 + 32 + 16, 8);
  header.modules = table({0x40000}, sizeof(agent::Module), sizeof(agent::Module));
  header.threads = table(kThreads, 2 * sizeof(agent::Thread), sizeof(agent::Thread));
  header.memory = table({0x60000}, sizeof(agent::Memory), sizeof(agent::Memory));
  header.loose.allocations = 3;
  header.loose.allocated_bytes = 300;
  return header;
}

template <class Entry>
void put(MemoryImage& memory, Address at, const Entry& entry) {
  memory.bytes(at, std::as_bytes(std::span(&entry, 1)));
}

MemoryImage program(const agent::Header& header) {
  MemoryImage memory;
  put(memory, kHeader, header);
  agent::Stack stack{};
  put(memory, kStacks, stack);
  stack.ready = 1;
  stack.frame_count = 2;
  put(memory, {kStacks.value + 16}, stack);
  put(memory, {kStacks.value + 32}, std::array<std::uint64_t, 2>{1, 2});
  stack.frame_count = 0;
  put(memory, {kStacks.value + 48}, stack);
  put(memory, kThreads, agent::Thread{});
  agent::Thread thread{};
  thread.state = agent::ThreadState::ended;
  thread.counters.frees = 1;
  thread.counters.freed_bytes = 100;
  put(memory, {kThreads.value + sizeof(agent::Thread)}, thread);
  return memory;
}

/// Its file is not on this machine: the header is found by its magic.
ImageMap images() {
  Image image{.path = "/gone.so", .file = nullptr, .range = {kHeader, {kHeader.value + 0x1000}}};
  return ImageMap({image});
}

AgentStatus status_of(const agent::Header& header) {
  return read_agent_status(program(header), images());
}

TEST_CASE("what the agent counted is added up over its threads") {
  const AgentStatus status = status_of(header());
  CHECK(status.kind == Kind::recording);
  CHECK_FALSE(status.problem);
  CHECK(status.live_blocks() == 2);
  CHECK(status.live_bytes() == 200);
  CHECK(status.stacks == 2);
  CHECK(status.sample_bytes == 512);
  CHECK(status.since_ns == 5'000'000);
  CHECK_FALSE(status.late);
}

TEST_CASE("an agent that records nothing says why") {
  agent::Header other = header();
  other.state = agent::State::paused;
  CHECK(status_of(other).kind == Kind::paused);
  other.state = agent::State::off;
  CHECK(status_of(other).kind == Kind::not_started);
  other.state = static_cast<agent::State>(77);
  CHECK(status_of(other).kind == Kind::unreadable);
  other = header();
  other.flags = agent::kBypassed | agent::kLateStart;
  CHECK(status_of(other).kind == Kind::bypassed);
  CHECK(status_of(other).late);
  other = header();
  other.version = 99;
  CHECK(status_of(other).kind == Kind::other_build);
  other = header();
  other.blocks.used = 1 << 20;  // More than is committed.
  CHECK(status_of(other).kind == Kind::unreadable);
  CHECK(read_agent_status(MemoryImage(), images()).kind == Kind::absent);
  CHECK(read_agent_status(MemoryImage(), ImageMap()).kind == Kind::absent);
}

TEST_CASE("numbers that cannot be are not added up for hours, nor believed") {
  agent::Header other = header();
  other.stacks.used = 4096;  // What lies behind them cannot be read.
  const AgentStatus status = status_of(other);
  CHECK(status.kind == Kind::recording);
  REQUIRE(status.problem);
  CHECK(status.problem->address);
  CHECK(status.live_blocks() == 2);
  other = header();
  other.loose = {};  // More frees than allocations.
  CHECK(status_of(other).live_blocks() == 0);
}

TEST_CASE("each missing byte is said, or changes nothing") {
  const MemoryImage whole = program(header());
  for (const Address hole : whole.addresses()) {
    const AgentStatus status = read_agent_status(whole.drop(hole), images());
    if (hole < kStacks)
      CHECK((status.kind == Kind::absent || status.kind == Kind::unreadable));
    else
      CHECK((status.problem || status.live_blocks() == 2));
  }
}

}  // namespace
}  // namespace cgo
