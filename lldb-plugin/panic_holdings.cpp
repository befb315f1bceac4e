#include "lldb-plugin/panic_holdings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "stops/held_mutexes.h"
#include "stops/owned_blocks.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Kind = AddressDescription::Kind;

constexpr std::uint64_t kMostBytes = 256u << 20, kArenaBytes = 64u << 20;
constexpr std::size_t kMostNamed = 16;
/// Code that calls nothing uses as much below the stack pointer. Source: System V ABI for amd64.
constexpr std::uint64_t kRedZone = 128;
/// Registers that calls preserve, by DWARF number: rbx, rbp, r12 to r15.
constexpr unsigned kPreserved[] = {3, 6, 12, 13, 14, 15};
constexpr unsigned kRegisters = 16;

/// The writable memory of a process as a panic sees it.
class WritableMemory {
 public:
  WritableMemory(const Stop& stop, const CollectedStack& panicking)
      : stop_(stop), panicking_(panicking) {
    for (const auto& element : panicking.walk.elements) {
      const auto* frame = std::get_if<PhysicalFrame>(&element);
      if (frame == nullptr || frame->go) continue;
      const Address sp = frame->registers.sp();
      if (!lowest_sp_ || sp < *lowest_sp_) lowest_sp_ = sp;
    }
  }

  const MappingList* mappings() const { return stop_.debuggee->mappings(); }

  /// All of it, without what lies below the stack pointers of stacks of C; with Go's heap or not.
  std::vector<AddressRange> ranges(bool with_go) const {
    std::vector<AddressRange> out;
    const auto bounds = stack_bounds();
    for (const Mapping& mapping : mappings()->all()) {
      if (!mapping.readable || !mapping.writable) continue;
      AddressRange range = mapping.range;
      for (const Address sp : bounds)
        if (range.contains(sp) && !is_go(sp)) range.begin = std::max(range.begin, sp);
      add_pieces(range, with_go, out);
    }
    return out;
  }

  bool is_go(Address at) const {
    switch (stop_.addresses->describe(at).kind) {
      case Kind::go_object:
      case Kind::go_freed:
      case Kind::go_heap:
      case Kind::goroutine_stack:
        return true;
      default:
        return false;
    }
  }

 private:
  /// What is below these, of the mapping that holds them, is not in use.
  std::vector<Address> stack_bounds() const {
    std::vector<Address> out;
    if (lowest_sp_) out.push_back({lowest_sp_->value});
    for (const ThreadInfo& thread : stop_.debuggee->threads()) {
      if (panicking_.stack.thread && thread.tid == panicking_.stack.thread->tid) continue;
      const auto registers = stop_.debuggee->registers(thread.tid);
      if (registers) out.push_back({registers->sp().value - kRedZone});
    }
    return out;
  }

  /// Go's heap lies in arenas, which may share a mapping.
  void add_pieces(AddressRange range, bool with_go, std::vector<AddressRange>& out) const {
    while (!range.empty()) {
      const std::uint64_t left = kArenaBytes - range.begin.value % kArenaBytes;
      const Address end{std::min(range.end.value, range.begin.value + left)};
      if (with_go || !is_go(range.begin)) out.push_back({range.begin, end});
      range.begin = end;
    }
  }

  const Stop& stop_;
  const CollectedStack& panicking_;
  std::optional<Address> lowest_sp_;
};

/// Whether a mutex can be used there: not in memory that was given back.
bool can_be_in_use(Kind kind) {
  return kind == Kind::global || kind == Kind::c_block || kind == Kind::c_stack ||
         kind == Kind::system_stack || kind == Kind::thread_local_storage ||
         kind == Kind::mapping || kind == Kind::memory;
}

std::string mutexes_text(const Stop& stop, const WritableMemory& writable, std::uint64_t tid) {
  const MutexSearch search =
      find_held_mutexes(stop.debuggee->memory(), writable.ranges(false), tid, kMostBytes);
  std::string list;
  std::size_t count = 0;
  for (const HeldMutex& one : search.found) {
    const AddressDescription what = stop.addresses->describe(one.address);
    if (!can_be_in_use(what.kind)) continue;
    if (++count > kMostNamed) continue;
    list += fmt::format("    {}  {}", hex(one.address), escaped(what.text));
    if (one.times > 1) list += fmt::format(", locked {} times", one.times);
    if (one.waited_for) list += ", others wait for it";
    list += '\n';
  }
  if (count > kMostNamed) list += fmt::format("    and {} more\n", count - kMostNamed);
  std::string out =
      fmt::format("  thread {} holds {} pthread mutex{}", tid, count, count == 1 ? "" : "es");
  if (search.cut)
    out += fmt::format(" (in the first {} MB of memory; the rest was not searched)",
                       search.searched_bytes >> 20);
  return out + '\n' + list;
}

/// The frames that a recover in `recovers_in` takes away, and what stays.
BlockQuestion question_of(const Stop& stop, const CollectedStack& panicking,
                          const WritableMemory& writable, std::size_t recovers_in) {
  BlockQuestion out;
  out.memory = &stop.debuggee->memory();
  out.block_at = [&stop](Address at) -> std::optional<AddressRange> {
    const AddressDescription what = stop.addresses->describe(at);
    if (what.kind != Kind::c_block || !what.base) return std::nullopt;
    return AddressRange{what.base, wrapping_add(what.base, what.bytes)};
  };
  out.freed_at = [&stop](Address at) { return stop.addresses->describe(at).freed(); };
  out.most_bytes = kMostBytes;
  const auto& elements = panicking.walk.elements;
  // On each stack what is further in than the recovering frame: one range a stack.
  AddressRange c_frames;
  for (std::size_t i = 0; i < recovers_in; ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&elements[i]);
    if (frame == nullptr || frame->go) continue;
    for (const unsigned number : kPreserved)
      if (const auto value = frame->registers.get(number)) out.frame_values.push_back(*value);
    if (c_frames.empty()) c_frames = {frame->registers.sp(), frame->cfa};
    c_frames.begin = std::min(c_frames.begin, frame->registers.sp());
    c_frames.end = std::max(c_frames.end, frame->cfa);
  }
  out.frames.push_back(c_frames);
  // Go's frames stay in the search: what they hold their deferred calls may free.
  const auto& innermost = std::get<PhysicalFrame>(elements[0]);
  const AddressRange unused{panicking.goroutine->stack.begin, innermost.registers.sp()};
  const auto leave_out = [&](AddressRange hole) {
    std::vector<AddressRange> rest;
    for (const AddressRange& range : out.rest) {
      const AddressRange before{range.begin, std::min(range.end, hole.begin)};
      const AddressRange behind{std::max(range.begin, hole.end), range.end};
      if (before.begin < before.end) rest.push_back(before);
      if (behind.begin < behind.end) rest.push_back(behind);
    }
    out.rest = std::move(rest);
  };
  out.rest = writable.ranges(true);
  leave_out(c_frames);
  if (panicking.goroutine->stack.contains(innermost.registers.sp())) leave_out(unused);
  for (const ThreadInfo& thread : stop.debuggee->threads()) {
    const auto registers = stop.debuggee->registers(thread.tid);
    if (!registers) continue;
    const bool own = panicking.stack.thread && thread.tid == panicking.stack.thread->tid;
    for (unsigned number = 0; number < kRegisters; ++number)
      // Of the panicking thread, the panic's value stays: rbx.
      if (const auto value = registers->get(number); value && (!own || number == 3))
        out.rest_values.push_back(*value);
  }
  return out;
}

std::string blocks_text(const Stop& stop, const CollectedStack& panicking,
                        const WritableMemory& writable, std::size_t recovers_in) {
  const OwnedBlocks blocks = owned_blocks(question_of(stop, panicking, writable, recovers_in));
  if (blocks.cut)
    return fmt::format(
        "    blocks of malloc that are lost then: not known, there is too much "
        "memory to search ({} MB are searched)\n",
        kMostBytes >> 20);
  std::uint64_t bytes = 0;
  for (const OwnedBlocks::Block& one : blocks.owned) bytes += one.range.bytes();
  if (blocks.owned.empty()) return "    no block of malloc is known to be lost then\n";
  std::string out = fmt::format(
      "    loses {} block{} of malloc, {} bytes, then: nothing else that was found points "
      "there{}\n",
      blocks.owned.size(), blocks.owned.size() == 1 ? "" : "s", bytes,
      blocks.unread_bytes == 0 ? std::string()
                               : fmt::format(" ({} bytes could not be read)", blocks.unread_bytes));
  std::size_t count = 0;
  for (const OwnedBlocks::Block& one : blocks.owned) {
    if (++count > kMostNamed) continue;
    out += fmt::format("      {}  {} bytes{}\n", hex(one.range.begin), one.range.bytes(),
                       one.direct ? "" : ", behind another of them");
  }
  if (count > kMostNamed) out += fmt::format("      and {} more\n", count - kMostNamed);
  return out;
}

}  // namespace

std::string holdings_text(const Stop& stop, const CollectedStack& panicking,
                          std::optional<std::size_t> recovers_in) {
  const WritableMemory writable(stop, panicking);
  if (writable.mappings() == nullptr)
    return "  mutexes and blocks: not known, the mappings of the process cannot be read\n";
  std::string out;
  if (panicking.stack.thread) out += mutexes_text(stop, writable, panicking.stack.thread->tid);
  if (!recovers_in || !panicking.goroutine) return out;
  const auto& elements = panicking.walk.elements;
  const bool over_c = std::ranges::any_of(
      elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(*recovers_in),
      [](const auto& element) {
        const auto* frame = std::get_if<PhysicalFrame>(&element);
        return frame != nullptr && !frame->go && frame->cfa;
      });
  if (over_c) out += blocks_text(stop, panicking, writable, *recovers_in);
  return out;
}

}  // namespace cgo
