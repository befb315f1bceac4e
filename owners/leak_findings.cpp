#include "owners/leak_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostBlocksShown = 4;

/// What held a block, as far as it is known of a dead object.
struct DeadOwner {
  std::string go_type, field;
  std::string source;  ///< How the type is known; empty where the heap has it.
  std::uint64_t element_bytes = 0, offset = 0;

  std::string text() const {
    if (go_type.empty())
      return fmt::format("a Go object of {} bytes, {} bytes into it", element_bytes, offset);
    return go_type + (field.empty() ? "" : field.starts_with('[') ? field : "." + field);
  }
};

DeadOwner owner_of(HeapSnapshot& heap, const OwnerTypes& types, std::uint32_t block,
                   const BlockHolder& holder) {
  const AddressRange element = heap.element(holder);
  DeadOwner out{.element_bytes = element.bytes(), .offset = holder.at.value - element.begin.value};
  const TypedWord word = heap.typed_place(holder);
  out.go_type = word.go_type;
  out.field = word.field;
  if (!out.go_type.empty()) return out;
  if (const OwnerTypes::Owner* known = types.find(heap, block, holder)) {
    out.go_type = known->go_type;
    out.field = known->field;
    out.source = "the type is that of living objects that hold blocks of the same stack";
  } else if (const auto found = heap.type_by_code(block, holder)) {
    out.go_type = found->word.go_type;
    out.field = found->word.field;
    out.source = fmt::format("the type is inferred: the only one that fits in the code of {}",
                             found->function);
  }
  return out;
}

const BlockHolder* dead_holder(const BlockGraph& graph, std::uint32_t block) {
  const auto holders = graph.holders(block);
  const auto found = std::ranges::find(holders, HolderKind::dead_go_object, &BlockHolder::kind);
  return found == holders.end() ? nullptr : &*found;
}

std::string blocks_evidence(const HeapSnapshot& heap, const std::vector<std::uint32_t>& blocks) {
  std::string out;
  for (std::size_t i = 0; i < blocks.size() && i < kMostBlocksShown; ++i)
    out += fmt::format("{}{} ({} bytes)", out.empty() ? "blocks at " : ", ",
                       hex(heap.blocks()[blocks[i]].begin), heap.blocks()[blocks[i]].bytes);
  if (blocks.size() > kMostBlocksShown)
    out += fmt::format(" and {} more", blocks.size() - kMostBlocksShown);
  return out;
}

}  // namespace

std::vector<Finding> leaks_of_dead_owners(HeapSnapshot& heap, const OwnerTypes& types) {
  struct Group {
    DeadOwner owner;
    std::vector<std::uint32_t> blocks;
    std::uint64_t bytes = 0, retained = 0;
  };
  // The types of two owners of one shape, of blocks of one stack, differ only where the heap has
  // them.
  std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t, std::string, std::string>, Group>
      groups;
  for (std::uint32_t block = 0; block < heap.blocks().size(); ++block) {
    if (heap.verdict(block) != BlockVerdict::leaked_go_owner_dead) continue;
    const BlockHolder* holder = dead_holder(heap.graph(), block);
    if (holder == nullptr) continue;
    const AddressRange element = heap.element(*holder);
    const std::uint64_t offset = holder->at.value - element.begin.value;
    const AgentBlock* record = heap.record_of(block);
    const TypedWord own = heap.typed_place(*holder);
    Group& group = groups[{record == nullptr ? 0 : record->stack, element.bytes(), offset,
                           own.go_type, own.field}];
    if (group.blocks.empty()) group.owner = owner_of(heap, types, block, *holder);
    group.blocks.push_back(block);
    group.bytes += heap.blocks()[block].bytes;
    group.retained += heap.graph().retained_bytes(block);
  }
  std::vector<Finding> out;
  for (const auto& [key, group] : groups) {
    const std::size_t count = group.blocks.size();
    Finding finding{.id = "leak.go-owner-dead", .level = FindingLevel::error};
    finding.title = fmt::format("{} of C memory, {} bytes, lost with {}",
                                count == 1 ? "1 block" : fmt::format("{} blocks", count),
                                group.bytes, group.owner.text());
    finding.explanation =
        "nothing but Go objects that are dead refers to it, and no finalizer or cleanup has it";
    finding.evidence.push_back(blocks_evidence(heap, group.blocks));
    if (!group.owner.source.empty()) finding.evidence.push_back(group.owner.source);
    if (group.retained > group.bytes)
      finding.evidence.push_back(
          fmt::format("{} bytes with the blocks that only these lead to", group.retained));
    const AgentBlock* record = heap.record_of(group.blocks.front());
    if (record != nullptr && record->stack != 0)
      finding.stacks.push_back({"allocated", record->stack});
    else
      finding.hint = "the agent (LD_PRELOAD) records who allocates";
    finding.address = heap.blocks()[group.blocks.front()].begin;
    finding.go_type = group.owner.go_type;
    finding.bytes = group.bytes;
    for (const std::uint32_t block : group.blocks) {
      const AgentBlock* one = heap.record_of(block);
      finding.subjects.push_back({heap.blocks()[block].begin, one == nullptr ? 0 : one->time_ns});
    }
    out.push_back(std::move(finding));
  }
  std::ranges::stable_sort(out, std::greater(), &Finding::bytes);
  return out;
}

}  // namespace cgo
