#include "owners/heap_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "owners/finding.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostHoldersShown = 8;

const char* words_for(BlockVerdict verdict) {
  switch (verdict) {
    case BlockVerdict::held:
      return "held";
    case BlockVerdict::leaked_go_owner_dead:
      return "LEAKED: the Go object that held it is dead";
    case BlockVerdict::leaked_unreachable:
      return "LEAKED: nothing refers to it";
    case BlockVerdict::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string holder_json(HeapSnapshot& heap, const BlockHolder& holder) {
  const TypedWord typed = heap.typed(holder);
  std::string path;
  for (const std::string& step : typed.path) path += (path.empty() ? "" : ",") + json_string(step);
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::string("null") : json_string(text);
  };
  return fmt::format(
      R"({{"kind":"{}","go_type":{},"field":{},"address":"{}","path":[{}],"pointer":{},"interior":{},"dead":{},"text":{}}})",
      name_of(holder.kind), or_null(typed.go_type), or_null(typed.field), hex(holder.at), path,
      holder.pointer, holder.inside, holder.kind == HolderKind::dead_go_object,
      json_string(format_holder(heap, holder)));
}

std::string frames_json(const Stack& stack) {
  std::string out = "[";
  std::size_t index = 0;
  for (const StackElement& element : stack.elements) {
    if (out.size() > 1) out += ",";
    if (const auto* frame = std::get_if<Frame>(&element))
      append_frame_json(out, *frame, index++);
    else
      out += R"({"gap":)" + json_string(std::get<Gap>(element).why) + "}";
  }
  return out + "]";
}

/// Who allocated a block, and when: keys of a block, with a comma behind each.
std::string allocation_json(const HeapSnapshot& heap, std::uint32_t number) {
  const AgentBlock* record = heap.record_of(number);
  if (record == nullptr) return R"("allocated_at":null,)";
  const auto stack = heap.records()->stack(record->stack);
  return fmt::format(
      R"("allocated_at":{},"requested":{},"allocated_by":{{"goroutine":{},"tid":{},"time_ns":{}}},)",
      stack ? frames_json(*stack) : "null", record->bytes,
      record->goroutine == 0 ? "null" : std::to_string(record->goroutine), record->tid,
      record->time_ns);
}

std::string block_json(HeapSnapshot& heap, std::uint32_t number) {
  const CBlockTable::Block& block = heap.blocks()[number];
  std::string out = fmt::format(
      R"({{"address":"{}","size":{},"state":"live",{}"freed_at":null,"verdict":"{}","retained_bytes":{},"holders":{},"held_by":[)",
      hex(block.begin), block.bytes, allocation_json(heap, number), name_of(heap.verdict(number)),
      heap.graph().retained_bytes(number), heap.graph().holder_count(number));
  std::size_t shown = 0;
  for (const BlockHolder& holder : heap.graph().holders(number)) {
    if (shown == kMostHoldersShown) break;
    out += (shown++ == 0 ? "" : ",") + holder_json(heap, holder);
  }
  return out + "]}";
}

std::string allocation_text(const HeapSnapshot& heap, std::uint32_t number) {
  const AgentBlock* record = heap.record_of(number);
  if (record == nullptr) return {};
  const auto stack = heap.records()->stack(record->stack);
  std::string who = record->goroutine != 0 ? fmt::format("goroutine {}", record->goroutine)
                                           : fmt::format("thread {}", record->tid);
  return fmt::format("    allocated by {}{}\n", who,
                     stack ? " in " + escaped(site_text(*stack)) : ", without a stack");
}

}  // namespace

std::string format_holder(HeapSnapshot& heap, const BlockHolder& holder) {
  const auto typed = [&](std::string_view otherwise) {
    const TypedWord word = heap.typed(holder);
    if (word.path.empty()) return std::string(otherwise);
    return joined(word.path) + (word.word_type.empty() ? "" : " (" + word.word_type + ")");
  };
  switch (holder.kind) {
    case HolderKind::go_object:
      return typed("a Go object");
    case HolderKind::dead_go_object:
      return "a dead Go object: " + typed("");
    case HolderKind::go_global:
      return typed("a variable of Go");
    case HolderKind::go_stack:
      return fmt::format("the stack of goroutine {}{}", holder.from,
                         holder.pointer ? "" : ", perhaps an old value");
    case HolderKind::cleanup:
      return "what a finalizer or cleanup of Go will get";
    case HolderKind::c_block: {
      const CBlockTable::Block& block = heap.blocks()[holder.from];
      return fmt::format("the C block of {} bytes at {}", block.bytes, hex(block.begin));
    }
    case HolderKind::c_global:
      return heap.symbol_text(holder.at);
    case HolderKind::c_stack:
      return fmt::format("the C stack of thread {}", holder.from);
    case HolderKind::thread_storage:
      return fmt::format("thread-local storage of thread {}", holder.from);
    case HolderKind::register_word:
      return fmt::format("a register of thread {}", holder.from);
    case HolderKind::kernel:
      return fmt::format("the kernel: data of the epoll instance {}", holder.from);
    case HolderKind::mapping:
      return fmt::format("memory at {}, of no allocator that is known", hex(holder.at));
  }
  return "?";
}

VerdictTotals verdict_totals(const HeapSnapshot& heap) {
  VerdictTotals out;
  for (std::uint32_t number = 0; number < heap.blocks().size(); ++number) {
    const auto verdict = static_cast<std::size_t>(heap.verdict(number));
    ++out.blocks[verdict];
    out.bytes[verdict] += heap.blocks()[number].bytes;
  }
  return out;
}

std::string totals_text(const HeapSnapshot& heap) {
  const VerdictTotals totals = verdict_totals(heap);
  std::string out = fmt::format("{} of C memory, {} bytes, are live",
                                counted(heap.blocks().size(), "block"), heap.blocks().bytes());
  const char* names[] = {"held", "leaked with their Go owner", "leaked, nothing refers to them",
                         "not known"};
  for (std::size_t i = 0; i < 4; ++i)
    if (totals.blocks[i] != 0)
      out += fmt::format("; {} {} ({} bytes)", totals.blocks[i], names[i], totals.bytes[i]);
  return out +
         fmt::format("; {} freed are kept by malloc\n", counted(heap.freed_blocks(), "block"));
}

std::string owners_text(HeapSnapshot& heap, const std::vector<OwnerRow>& rows, std::size_t limit) {
  std::string out =
      fmt::format("{:>10} {:>14} {:>14}  {}\n", "blocks", "bytes", "retained", "held by");
  for (std::size_t i = 0; i < rows.size() && i < limit; ++i)
    out += fmt::format("{:>10} {:>14} {:>14}  {}\n", rows[i].blocks, rows[i].bytes,
                       rows[i].retained_bytes, escaped(row_name(rows[i])));
  if (rows.size() > limit)
    out += fmt::format("{} more; --limit N shows them\n", rows.size() - limit);
  return out + totals_text(heap);
}

std::string blocks_text(HeapSnapshot& heap, const std::vector<std::uint32_t>& blocks,
                        std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < blocks.size() && i < limit; ++i) {
    const CBlockTable::Block& block = heap.blocks()[blocks[i]];
    out += fmt::format("{}  {} bytes  {}\n", hex(block.begin), block.bytes,
                       words_for(heap.verdict(blocks[i])));
    std::size_t shown = 0;
    for (const BlockHolder& holder : heap.graph().holders(blocks[i])) {
      if (shown++ == kMostHoldersShown) break;
      out += "    " + escaped(format_holder(heap, holder)) + "\n";
    }
    out += allocation_text(heap, blocks[i]);
    if (heap.graph().holder_count(blocks[i]) > kMostHoldersShown)
      out += fmt::format("    and {} more\n",
                         heap.graph().holder_count(blocks[i]) - kMostHoldersShown);
  }
  if (blocks.size() > limit)
    out += fmt::format("{} more; --limit N shows them\n", blocks.size() - limit);
  return out;
}

std::vector<BlockGroup> block_groups(const HeapSnapshot& heap,
                                     const std::vector<std::uint32_t>& blocks) {
  std::map<std::tuple<BlockVerdict, std::uint32_t, std::uint64_t>, BlockGroup> groups;
  for (const std::uint32_t block : blocks) {
    const AgentBlock* record = heap.record_of(block);
    BlockGroup group{.verdict = heap.verdict(block)};
    if (record != nullptr && record->stack != 0)
      group.stack = record->stack;
    else
      group.size = heap.blocks()[block].bytes;
    BlockGroup& sum =
        groups.try_emplace({group.verdict, group.stack, group.size}, group).first->second;
    ++sum.blocks;
    sum.bytes += heap.blocks()[block].bytes;
  }
  std::vector<BlockGroup> out;
  for (const auto& [key, group] : groups) out.push_back(group);
  std::ranges::stable_sort(out, std::greater(), &BlockGroup::bytes);
  return out;
}

std::string groups_text(const HeapSnapshot& heap, const std::vector<BlockGroup>& groups,
                        std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < groups.size() && i < limit; ++i) {
    const BlockGroup& group = groups[i];
    out += fmt::format("{}, {} bytes, {}", counted(group.blocks, "block"), group.bytes,
                       words_for(group.verdict));
    if (group.stack == 0) {
      out += fmt::format(": of {} bytes each\n", group.size);
      continue;
    }
    const auto stack = heap.records()->stack(group.stack);
    if (!stack) {
      out += ": allocated by a stack that cannot be read: " + escaped(stack.error().message) + "\n";
      continue;
    }
    out += ", allocated in " + escaped(site_text(*stack)) + "\n" + format_stack(*stack, {});
  }
  if (groups.size() > limit)
    out += fmt::format("{} more; --limit N shows them\n", groups.size() - limit);
  return out;
}

std::string groups_json(const HeapSnapshot& heap, const std::vector<BlockGroup>& groups,
                        std::size_t limit) {
  std::string out = R"("groups":[)";
  const std::size_t count = std::min(limit, groups.size());
  for (std::size_t i = 0; i < count; ++i) {
    const BlockGroup& group = groups[i];
    const auto stack = group.stack == 0 ? Result<Stack>(Error{ErrorCode::not_found, "none"})
                                        : heap.records()->stack(group.stack);
    out += fmt::format(R"({}{{"verdict":"{}","blocks":{},"bytes":{},"size":{},"allocated_at":{}}})",
                       i == 0 ? "" : ",", name_of(group.verdict), group.blocks, group.bytes,
                       group.stack == 0 ? std::to_string(group.size) : "null",
                       stack ? frames_json(*stack) : "null");
  }
  return out + fmt::format(R"(],"shown":{},"matching":{})", count, groups.size());
}

std::string blocks_json(HeapSnapshot& heap, const std::vector<std::uint32_t>& blocks,
                        std::size_t limit) {
  std::string out = R"("blocks":[)";
  const std::size_t count = std::min(limit, blocks.size());
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + block_json(heap, blocks[i]);
  return out + fmt::format(R"(],"shown":{},"matching":{})", count, blocks.size());
}

std::string totals_json(const HeapSnapshot& heap, const std::vector<OwnerRow>& rows) {
  const VerdictTotals totals = verdict_totals(heap);
  std::string out = fmt::format(
      R"("totals":{{"live_blocks":{},"live_bytes":{},"freed_blocks":{},"freed_bytes":{},"by_verdict":{{)",
      heap.blocks().size(), heap.blocks().bytes(), heap.freed_blocks(), heap.freed_bytes());
  for (std::size_t i = 0; i < 4; ++i)
    out += fmt::format(R"({}"{}":{{"blocks":{},"bytes":{}}})", i == 0 ? "" : ",",
                       name_of(static_cast<BlockVerdict>(i)), totals.blocks[i], totals.bytes[i]);
  out += R"(},"by_go_type":[)";
  std::string others;
  bool first = true;
  for (const OwnerRow& row : rows) {
    const std::string sums = fmt::format(R"("blocks":{},"bytes":{},"retained_bytes":{})",
                                         row.blocks, row.bytes, row.retained_bytes);
    if (row.go_type.empty()) {
      others += fmt::format(R"({}{{"kind":{},"place":{},{}}})", others.empty() ? "" : ",",
                            row.held ? json_string(name_of(row.kind)) : "null",
                            json_string(row_name(row)), sums);
      continue;
    }
    out += fmt::format(R"({}{{"go_type":{},"field":{},"kind":"{}",{}}})", first ? "" : ",",
                       json_string(row.go_type), json_string(row.field), name_of(row.kind), sums);
    first = false;
  }
  return out + R"(],"by_other_holder":[)" + others + "]}";
}

}  // namespace cgo
