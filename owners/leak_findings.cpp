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
    const std::string name = type_and_field(go_type, field);
    if (source.empty()) return name;
    return fmt::format("a Go object of {} bytes, perhaps {}", element_bytes, name);
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
    out.source = "living objects of that type hold blocks of the same stack at the same offset";
  } else if (const auto found = heap.type_by_code(block, holder)) {
    out.go_type = found->word.go_type;
    out.field = found->word.field;
    out.source =
        fmt::format("that type is the only one that fits in the code of {}", found->function);
  }
  return out;
}

/// How dead objects hold blocks of each stack. One that held what was at the address before may
/// still point there: of several holders that of the usual shape is the one.
class UsualShapes {
 public:
  explicit UsualShapes(const HeapSnapshot& heap) : heap_(heap) {
    for (std::uint32_t block = 0; block < heap.blocks().size(); ++block)
      if (heap.verdict(block) == BlockVerdict::leaked_go_owner_dead)
        for (const BlockHolder& holder : heap.graph().holders(block))
          if (holder.kind == HolderKind::dead_go_object) ++counts_[shape_of(block, holder)];
  }

  /// Null where no dead object holds the block itself.
  const BlockHolder* holder_of(std::uint32_t block) const {
    const BlockHolder* best = nullptr;
    std::uint64_t most = 0;
    for (const BlockHolder& holder : heap_.graph().holders(block)) {
      if (holder.kind != HolderKind::dead_go_object) continue;
      const std::uint64_t count = counts_.at(shape_of(block, holder));
      if (count > most) {
        best = &holder;
        most = count;
      }
    }
    return best;
  }

 private:
  using Shape = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>;
  Shape shape_of(std::uint32_t block, const BlockHolder& holder) const {
    const AgentBlock* record = heap_.record_of(block);
    const AddressRange element = heap_.element(holder);
    return {record == nullptr ? 0 : record->stack, element.bytes(),
            holder.at.value - element.begin.value};
  }

  const HeapSnapshot& heap_;
  std::map<Shape, std::uint64_t> counts_;
};

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
  const UsualShapes shapes(heap);
  std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t, std::string, std::string>, Group>
      groups;
  for (std::uint32_t block = 0; block < heap.blocks().size(); ++block) {
    if (heap.verdict(block) != BlockVerdict::leaked_go_owner_dead) continue;
    const BlockHolder* holder = shapes.holder_of(block);
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
    finding.title = fmt::format("{} of C memory, {} bytes, lost with {}", counted(count, "block"),
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
