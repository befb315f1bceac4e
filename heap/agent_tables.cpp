#include "heap/agent_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace cgo {
namespace {

using agent::Header;
using agent::Table;

/// Of any table: a corrupt number must not make the reader read for hours.
constexpr std::uint64_t kMostTableBytes = std::uint64_t{1} << 36;
constexpr std::uint64_t kMostEntryBytes = 4096;
constexpr unsigned kMostFrames = 4096;

template <class Entry>
Result<Entry> read_entry(const MemoryReader& memory, Address at) {
  Entry entry{};
  auto done = memory.read(at, std::as_writable_bytes(std::span(&entry, 1)));
  if (!done) return std::move(done).error();
  return entry;
}

Result<void> check_table(const Table& table, std::uint64_t entry_bytes, std::string_view name) {
  const auto wrong = [&](std::string_view what) {
    return Error{ErrorCode::malformed_data, fmt::format("the agent's table of {}: {}", name, what),
                 Address{table.address}};
  };
  if (table.entry_bytes < entry_bytes || table.entry_bytes > kMostEntryBytes)
    return wrong(fmt::format("entries of {} bytes", table.entry_bytes));
  if (table.used > table.committed || table.committed > kMostTableBytes)
    return wrong(fmt::format("{} bytes used of {}", table.used, table.committed));
  if (!checked_add({table.address}, table.committed)) return wrong("it wraps the address space");
  return {};
}

std::uint64_t entries(const Table& table) { return table.used / table.entry_bytes; }

Address entry_at(const Table& table, std::uint64_t number) {
  return {table.address + number * table.entry_bytes};
}

/// The text up to its NUL, or all of it.
template <std::size_t size>
std::string text_of(const char (&text)[size]) {
  return {text, std::find(text, text + size, '\0')};
}

void add(agent::Counters& sum, const agent::Counters& more) {
  sum.allocations += more.allocations;
  sum.allocated_bytes += more.allocated_bytes;
  sum.frees += more.frees;
  sum.freed_bytes += more.freed_bytes;
  sum.unknown_frees += more.unknown_frees;
  sum.lost += more.lost;
  sum.without_stack += more.without_stack;
  sum.walks += more.walks;
}

bool has_magic(const MemoryReader& memory, Address at) {
  std::array<std::byte, sizeof(agent::kMagic)> bytes{};
  return memory.read(at, bytes) &&
         std::memcmp(bytes.data(), agent::kMagic, sizeof(agent::kMagic)) == 0;
}

}  // namespace

Result<AgentTables> AgentTables::open(const MemoryReader& memory, Address at) {
  auto header = read_entry<Header>(memory, at);
  if (!header) return std::move(header).error().in("the agent's header");
  if (std::memcmp(header->magic, agent::kMagic, sizeof(agent::kMagic)) != 0)
    return Error{ErrorCode::malformed_data, "there is no header of the agent", at};
  if (header->version != agent::kFormatVersion)
    return Error{ErrorCode::unsupported,
                 fmt::format("the agent in the program writes tables of version {}, this program "
                             "reads version {}",
                             header->version, agent::kFormatVersion),
                 at};
  if (header->header_bytes < sizeof(Header))
    return Error{ErrorCode::malformed_data, "the agent's header is too short", at};
  if (header->state == agent::State::off)
    return Error{ErrorCode::not_found, "the agent is loaded but did not start to record", at};
  const std::pair<const Table*, std::pair<std::uint64_t, const char*>> tables[] = {
      {&header->blocks, {sizeof(agent::Block), "blocks"}},
      {&header->stacks, {1, "stacks"}},
      {&header->modules, {sizeof(agent::Module), "modules"}},
      {&header->threads, {sizeof(agent::Thread), "threads"}},
      {&header->memory, {sizeof(agent::Memory), "memory"}}};
  for (const auto& [table, wanted] : tables)
    if (auto good = check_table(*table, wanted.first, wanted.second); !good)
      return std::move(good).error();
  return AgentTables(memory, *header);
}

std::string AgentTables::allocator() const { return text_of(header_.allocator); }

Result<std::vector<AgentThread>> AgentTables::threads() const {
  std::vector<AgentThread> threads;
  for (std::uint64_t i = 1; i < entries(header_.threads); ++i) {
    auto entry = read_entry<agent::Thread>(*memory_, entry_at(header_.threads, i));
    if (!entry) return std::move(entry).error().in("the agent's table of threads");
    if (entry->state != agent::ThreadState::unused)
      threads.push_back({.tid = entry->tid,
                         .alive = entry->state == agent::ThreadState::alive,
                         .counters = entry->counters});
  }
  return threads;
}

Result<std::vector<AddressRange>> AgentTables::own_memory() const {
  std::vector<AddressRange> out;
  for (const Table* table :
       {&header_.blocks, &header_.stacks, &header_.modules, &header_.threads, &header_.memory})
    if (const auto end = checked_add({table->address}, table->reserved))
      out.push_back({{table->address}, *end});
  for (std::uint64_t i = 1; i < entries(header_.memory); ++i) {
    auto entry = read_entry<agent::Memory>(*memory_, entry_at(header_.memory, i));
    if (!entry) return std::move(entry).error().in("the agent's table of its memory");
    // Whole pages.
    const auto end = checked_add({entry->address}, (entry->bytes + 4095) / 4096 * 4096);
    if (entry->address == 0 || entry->address % 4096 != 0 || !end) continue;
    out.push_back({{entry->address}, *end});
  }
  return out;
}

Result<agent::Counters> AgentTables::totals() const {
  auto all = threads();
  if (!all) return std::move(all).error();
  agent::Counters sum = header_.loose;
  for (const AgentThread& thread : *all) add(sum, thread.counters);
  return sum;
}

Result<std::vector<AgentModule>> AgentTables::modules() const {
  constexpr std::uint32_t kLoaded = 0xffffffffu;
  std::vector<AgentModule> modules;
  for (std::uint64_t i = 1; i < entries(header_.modules); ++i) {
    auto entry = read_entry<agent::Module>(*memory_, entry_at(header_.modules, i));
    if (!entry) return std::move(entry).error().in("the agent's table of modules");
    if (entry->ready != 1) continue;
    const auto id =
        std::as_bytes(std::span(entry->build_id))
            .first(std::min<std::size_t>(entry->build_id_bytes, std::size(entry->build_id)));
    AgentModule module{.range = {{entry->begin}, {entry->end}},
                       .first_epoch = entry->first_epoch,
                       .build_id = {id.begin(), id.end()},
                       .path = text_of(entry->path)};
    if (entry->last_epoch != kLoaded) module.last_epoch = entry->last_epoch;
    modules.push_back(std::move(module));
  }
  return modules;
}

const AgentModule* AgentTables::module_of(const std::vector<AgentModule>& modules, Address pc,
                                          std::uint32_t epoch) {
  for (const AgentModule& module : modules)
    if (module.range.contains(pc) && module.first_epoch <= epoch &&
        epoch <= module.last_epoch.value_or(epoch))
      return &module;
  return nullptr;
}

Result<AgentStack> AgentTables::stack(std::uint32_t id) const {
  if (id == 0) return Error{ErrorCode::not_found, "no stack was recorded", std::nullopt};
  const Table& table = header_.stacks;
  const std::uint64_t offset = std::uint64_t{id} * table.entry_bytes;
  const Address at{table.address + offset};
  const auto wrong = [&] {
    return Error{ErrorCode::malformed_data, fmt::format("stack {} of the agent is none", id), at};
  };
  if (table.used < sizeof(agent::Stack) || offset > table.used - sizeof(agent::Stack))
    return wrong();
  auto entry = read_entry<agent::Stack>(*memory_, at);
  if (!entry) return std::move(entry).error().in("the agent's table of stacks");
  const std::uint64_t bytes = std::uint64_t{entry->frame_count} * sizeof(std::uint64_t);
  if (entry->ready != 1 || entry->frame_count > kMostFrames ||
      bytes > table.used - offset - sizeof(agent::Stack))
    return wrong();
  std::vector<std::uint64_t> words(entry->frame_count);
  auto done =
      memory_->read({at.value + sizeof(agent::Stack)}, std::as_writable_bytes(std::span(words)));
  if (!done) return std::move(done).error().in("the agent's table of stacks");
  AgentStack out{.frames = {}, .end = entry->end, .module_epoch = entry->module_epoch};
  for (const std::uint64_t word : words) {
    const auto kind = static_cast<agent::FrameKind>(word >> agent::kStateShift);
    if (kind > agent::FrameKind::go_exact) return wrong();
    using agent::FrameKind;
    out.frames.push_back({.pc = {word & agent::kAddressMask},
                          .go = kind == FrameKind::go_return || kind == FrameKind::go_exact,
                          .exact = kind == FrameKind::c_exact || kind == FrameKind::go_exact});
  }
  return out;
}

Result<std::uint64_t> AgentTables::stack_count() const {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
  const Table& table = header_.stacks;
  std::vector<std::byte> piece;
  std::uint64_t count = 0, piece_at = 0;
  // A stack that is being written has no number of frames yet: it ends the count.
  for (std::uint64_t at = sizeof(agent::Stack); at + sizeof(agent::Stack) <= table.used;) {
    if (at < piece_at || at + sizeof(agent::Stack) > piece_at + piece.size()) {
      piece_at = at;
      piece.resize(std::min(kPieceBytes, table.used - at));
      if (auto done = memory_->read({table.address + at}, piece); !done)
        return std::move(done).error().in("the agent's table of stacks");
    }
    agent::Stack stack{};
    std::memcpy(&stack, &piece[at - piece_at], sizeof(stack));
    if (stack.ready != 1 || stack.frame_count > kMostFrames) break;
    ++count;
    at += sizeof(stack) + stack.frame_count * sizeof(std::uint64_t);
  }
  return count;
}

std::uint64_t AgentTables::table_bytes() const {
  return header_.blocks.used + header_.stacks.used + header_.modules.used + header_.threads.used +
         header_.memory.used;
}

std::uint64_t AgentTables::time_of(std::uint64_t stamp) const {
  return header_.start.realtime_ns + (stamp - header_.start.monotonic_ns);
}

AgentBlock AgentTables::decode(const agent::Block& record) const {
  AgentBlock block{.address = {record.address & agent::kAddressMask},
                   .bytes = record.size,
                   .time_ns = time_of(record.time),
                   .goroutine = record.goroutine,
                   .stack = record.stack,
                   .tid = record.thread,
                   .state = static_cast<agent::BlockState>(record.address >> agent::kStateShift)};
  if (block.state != agent::BlockState::live)
    block.freed = AgentFree{.time_ns = time_of(record.free_time),
                            .goroutine = record.free_goroutine,
                            .stack = record.free_stack,
                            .tid = record.free_thread};
  return block;
}

Result<void> AgentTables::for_each_block(
    const std::function<bool(const AgentBlock&)>& visit) const {
  constexpr std::uint64_t kPieceBytes = 64 * 1024;
  const Table& table = header_.blocks;
  std::vector<std::byte> piece(kPieceBytes / table.entry_bytes * table.entry_bytes);
  std::uint64_t missing = 0;
  std::optional<Error> why;
  for (std::uint64_t at = 0; at + table.entry_bytes <= table.used; at += piece.size()) {
    const std::uint64_t bytes = std::min<std::uint64_t>(
        piece.size(), (table.used - at) / table.entry_bytes * table.entry_bytes);
    if (auto done = memory_->read({table.address + at}, std::span(piece).first(bytes)); !done) {
      missing += bytes / table.entry_bytes;
      if (!why) why = std::move(done).error();
      continue;
    }
    for (std::uint64_t i = 0; i < bytes; i += table.entry_bytes) {
      agent::Block record;
      std::memcpy(&record, &piece[i], sizeof(record));
      const auto state = static_cast<agent::BlockState>(record.address >> agent::kStateShift);
      if (state == agent::BlockState::empty || state > agent::BlockState::held_back) continue;
      if (!visit(decode(record))) return {};
    }
  }
  if (!why) return {};
  return std::move(*why).in(
      fmt::format("up to {} of {} records of the agent are missing", missing, entries(table)));
}

Result<Address> find_agent_header(const MemoryReader& memory, const ImageMap& images) {
  for (const Image& image : images.all()) {
    if (!image.file || image.mismatch) continue;
    const ElfSymbol* symbol = image.file->find_symbol(agent::kHeaderSymbol);
    if (symbol != nullptr && has_magic(memory, image.to_load(symbol->file_address)))
      return image.to_load(symbol->file_address);
  }
  constexpr std::uint64_t kMostSearchedBytes = std::uint64_t{1} << 28;
  for (const Image& image : images.all()) {
    if (image.file && !image.mismatch) continue;
    const std::uint64_t bytes = std::min(image.range.bytes(), kMostSearchedBytes);
    const std::uint64_t begin =
        (image.range.begin.value + agent::kHeaderAlign - 1) & ~(agent::kHeaderAlign - 1);
    for (std::uint64_t at = 0; at < bytes; at += agent::kHeaderAlign)
      if (has_magic(memory, {begin + at})) return Address{begin + at};
  }
  return Error{ErrorCode::not_found,
               "the agent that records allocations (liblldb-cgo-agent.so) is not in this program",
               std::nullopt};
}

std::string_view format_stack_end(agent::StackEnd end) {
  using agent::StackEnd;
  switch (end) {
    case StackEnd::thread_entry:
      return "thread entry";
    case StackEnd::goroutine_entry:
      return "goroutine entry";
    case StackEnd::system_stack:
      return "Go code on a system stack";
    case StackEnd::no_rule:
      return "code without unwind rules";
    case StackEnd::bad_memory:
      return "the next frame cannot be read";
    case StackEnd::limit:
      return "too many frames";
    case StackEnd::unknown_go:
      return "a Go release that the agent does not know";
    case StackEnd::contradiction:
      return "what is saved at a crossing cannot be";
    case StackEnd::unknown:
      break;
  }
  return "not known";
}

}  // namespace cgo
