#include "heap/agent_tables.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kHeader{0x10000}, kBlocks{0x20000}, kStacks{0x30000}, kModules{0x40000},
    kThreads{0x50000}, kMemory{0x900000};

template <class Entry>
void put(MemoryImage& memory, Address at, const Entry& entry) {
  memory.bytes(at, std::as_bytes(std::span(&entry, 1)));
}

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
  header.pid = 42;
  header.start = {.monotonic_ns = 1000, .realtime_ns = 5'000'000};
  header.blocks = table(kBlocks, 4 * sizeof(agent::Block), sizeof(agent::Block));
  header.stacks = table(kStacks, 2 * sizeof(agent::Stack) + 16, 8);
  header.modules = table(kModules, 3 * sizeof(agent::Module), sizeof(agent::Module));
  header.threads = table(kThreads, 2 * sizeof(agent::Thread), sizeof(agent::Thread));
  header.memory = table(kMemory, 3 * sizeof(agent::Memory), sizeof(agent::Memory));
  header.loose.allocations = 1;
  std::strcpy(header.allocator, "/lib/libc.so.6");
  return header;
}

std::uint64_t in_state(agent::BlockState state, std::uint64_t address) {
  return static_cast<std::uint64_t>(state) << agent::kStateShift | address;
}

agent::Module module(std::uint32_t first, std::uint32_t last, const char* path) {
  agent::Module module{};
  module.begin = 0x400000;
  module.end = 0x500000;
  module.first_epoch = first;
  module.last_epoch = last;
  module.build_id_bytes = 20;
  module.ready = 1;
  std::strcpy(module.path, path);
  return module;
}

/// A live block with a stack of one C and one Go frame, and one that was freed.
MemoryImage program(const agent::Header& of = header()) {
  MemoryImage memory;
  put(memory, kHeader, of);
  agent::Block blocks[4] = {};
  blocks[1].address = in_state(agent::BlockState::live, 0x1230);
  blocks[1].size = 77;
  blocks[1].time = 2000;
  blocks[1].goroutine = 5;
  blocks[1].stack = 2;
  blocks[1].thread = 43;
  blocks[2] = blocks[1];
  blocks[2].address = in_state(agent::BlockState::freed, 0x4560);
  blocks[2].free_time = 3000;
  blocks[2].free_thread = 44;
  put(memory, kBlocks, blocks);
  put(memory, kStacks, agent::Stack{});
  put(memory, {kStacks.value + 16},
      agent::Stack{.next = 0,
                   .hash = 0,
                   .module_epoch = 3,
                   .frame_count = 2,
                   .end = agent::StackEnd::goroutine_entry,
                   .ready = 1});
  memory.u64({kStacks.value + 32}, 0x401234).u64({kStacks.value + 40}, 1ull << 56 | 0x402345);
  put(memory, kModules, agent::Module{});
  put(memory, {kModules.value + 256}, module(0, 2, "/lib/old.so"));
  put(memory, {kModules.value + 512}, module(3, 0xffffffff, "/lib/new.so"));
  agent::Thread threads[2] = {};
  threads[1].tid = 43;
  threads[1].state = agent::ThreadState::alive;
  threads[1].counters.allocations = 9;
  put(memory, kThreads, threads);
  const agent::Memory own[3] = {{}, {0x70000000, 5000}, {0x123, 8192}};
  put(memory, kMemory, own);
  return memory;
}

std::vector<AgentBlock> blocks_of(const AgentTables& tables) {
  std::vector<AgentBlock> blocks;
  CHECK(tables.for_each_block([&](const AgentBlock& block) {
    blocks.push_back(block);
    return true;
  }));
  return blocks;
}

}  // namespace

TEST_CASE("the agent's tables say what was recorded") {
  const MemoryImage memory = program();
  const auto tables = AgentTables::open(memory, kHeader);
  REQUIRE(tables);
  CHECK(tables->header().pid == 42);
  CHECK(tables->allocator() == "/lib/libc.so.6");
  const auto blocks = blocks_of(*tables);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].address == Address{0x1230});
  CHECK(blocks[0].bytes == 77);
  CHECK(blocks[0].goroutine == 5);
  CHECK(blocks[0].tid == 43);
  CHECK(blocks[0].time_ns == 5'001'000);
  CHECK_FALSE(blocks[0].freed);
  REQUIRE(blocks[1].freed);
  CHECK(blocks[1].state == agent::BlockState::freed);
  CHECK(blocks[1].freed->time_ns == 5'002'000);
  CHECK(blocks[1].freed->tid == 44);
  const auto stack = tables->stack(2);
  REQUIRE(stack);
  REQUIRE(stack->frames.size() == 2);
  CHECK(stack->frames[0].pc == Address{0x401234});
  CHECK_FALSE(stack->frames[0].go);
  CHECK(stack->frames[1].go);
  CHECK(stack->end == agent::StackEnd::goroutine_entry);
  CHECK(tables->totals()->allocations == 10);
  CHECK(tables->threads()->at(0).tid == 43);
}

TEST_CASE("a pc belongs to the module of the stack's epoch") {
  const MemoryImage memory = program();
  const auto tables = AgentTables::open(memory, kHeader);
  const auto modules = tables->modules().value();
  REQUIRE(modules.size() == 2);
  CHECK(AgentTables::module_of(modules, {0x401000}, 2)->path == "/lib/old.so");
  CHECK(AgentTables::module_of(modules, {0x401000}, 3)->path == "/lib/new.so");
  CHECK(AgentTables::module_of(modules, {0x501000}, 3) == nullptr);
}

TEST_CASE("tables of another version, or that cannot be, are refused") {
  const auto refused = [](auto change) {
    agent::Header bad = header();
    change(bad);
    const MemoryImage memory = program(bad);
    const auto tables = AgentTables::open(memory, kHeader);
    return tables ? std::string() : tables.error().message;
  };
  CHECK(refused([](agent::Header& h) { h.version = 2; }).find("version 2") != std::string::npos);
  CHECK_FALSE(refused([](agent::Header& h) { h.magic[0] = 'L'; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.header_bytes = 8; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.state = agent::State::off; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.blocks.used = 1ull << 40; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.blocks.entry_bytes = 0; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.modules.entry_bytes = 8; }).empty());
  CHECK_FALSE(refused([](agent::Header& h) { h.threads.address = ~0ull - 10; }).empty());
}

TEST_CASE("a stack id that is none is an error") {
  const MemoryImage memory = program();
  const auto tables = AgentTables::open(memory, kHeader);
  CHECK(tables->stack(0).error().code == ErrorCode::not_found);
  CHECK(tables->stack(3).error().code == ErrorCode::malformed_data);
  CHECK(tables->stack(0xffffffff).error().code == ErrorCode::malformed_data);
}

TEST_CASE("records that cannot be read are counted, the others are shown") {
  agent::Header large = header();
  constexpr std::uint64_t kRecords = 3000;  // More than one piece.
  large.blocks.used = kRecords * sizeof(agent::Block);
  large.blocks.committed = 1 << 20;
  const MemoryImage memory = [&] {
    MemoryImage image = program(large);
    const std::vector<std::byte> zero((kRecords - 4) * sizeof(agent::Block) - 64);
    image.bytes({kBlocks.value + 4 * sizeof(agent::Block)}, zero);
    return image;
  }();
  const auto tables = AgentTables::open(memory, kHeader);
  REQUIRE(tables);
  std::size_t seen = 0;
  const auto done = tables->for_each_block([&](const AgentBlock&) { return ++seen != 0; });
  CHECK(seen == 2);
  REQUIRE_FALSE(done);
  CHECK(done.error().message.find("of 3000 records of the agent are missing") != std::string::npos);
}

TEST_CASE("each missing byte of the agent's tables is an error or changes nothing") {
  const MemoryImage whole = program();
  for (const Address hole : whole.addresses()) {
    const MemoryImage memory = whole.drop(hole);
    const auto tables = AgentTables::open(memory, kHeader);
    if (!tables) {
      CHECK(hole < kBlocks);
      continue;
    }
    const auto blocks = tables->for_each_block([](const AgentBlock&) { return true; });
    const bool good = blocks && tables->stack(2) && tables->modules() && tables->threads();
    const bool in_first = hole.value % 0x10000 < (hole < kStacks    ? 0u
                                                  : hole < kModules ? 16u
                                                  : hole < kThreads ? 256u
                                                                    : 128u);
    CHECK(good == in_first);
  }
}

TEST_CASE("what memory is the agent's own is told, as far as it can be") {
  const MemoryImage memory = program();
  const auto tables = AgentTables::open(memory, kHeader);
  REQUIRE(tables);
  const auto own = tables->own_memory();
  REQUIRE(own);
  // The five tables, and one range; the other does not begin with a page.
  CHECK(own->size() == 6);
  CHECK(own->back() == AddressRange{{0x70000000}, {0x70002000}});
  CHECK(std::ranges::find(*own, AddressRange{kStacks, {kStacks.value + (1 << 20)}}) != own->end());
  const MemoryImage cut = memory.drop({kMemory.value + 16});
  const auto less = AgentTables::open(cut, kHeader);
  REQUIRE(less);
  CHECK_FALSE(less->own_memory());
}

}  // namespace cgo
