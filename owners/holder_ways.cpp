#include "owners/holder_ways.h"

#include <algorithm>
#include <numeric>

#include "owners/owner_rows.h"

namespace cgo {
namespace {

constexpr int kWorstRank = 16;

/// Blocks that something else than a block refers to, by the rank of the best such holder; others
/// have the last one.
std::vector<std::vector<std::uint32_t>> by_rank(const BlockGraph& graph) {
  std::vector<std::vector<std::uint32_t>> out(kWorstRank + 2);
  for (std::uint32_t block = 0; block < graph.blocks().size(); ++block) {
    int best = kWorstRank + 1;
    for (const BlockHolder& holder : graph.holders(block))
      if (holder.kind != HolderKind::c_block) best = std::min(best, holder_rank(holder));
    out[static_cast<std::size_t>(best)].push_back(block);
  }
  return out;
}

const BlockHolder* best_beside_blocks(const BlockGraph& graph, std::uint32_t block) {
  const BlockHolder* best = nullptr;
  for (const BlockHolder& holder : graph.holders(block))
    if (holder.kind != HolderKind::c_block &&
        (best == nullptr || holder_rank(holder) < holder_rank(*best)))
      best = &holder;
  return best;
}

/// What a root is, in words; and for pictures.
std::pair<const char*, StepKind> kind_of(HolderKind kind) {
  switch (kind) {
    case HolderKind::go_object:
      return {"Go objects", StepKind::go};
    case HolderKind::go_global:
      return {"variables of Go", StepKind::go};
    case HolderKind::go_stack:
      return {"stacks of goroutines", StepKind::go};
    case HolderKind::cleanup:
      return {"finalizers and cleanups of Go", StepKind::go};
    case HolderKind::c_global:
      return {"variables of C", StepKind::c};
    case HolderKind::c_stack:
      return {"stacks of C", StepKind::c};
    case HolderKind::thread_storage:
      return {"thread-local storage", StepKind::c};
    case HolderKind::register_word:
      return {"registers", StepKind::c};
    case HolderKind::kernel:
      return {"epoll instances of the kernel", StepKind::c};
    case HolderKind::c_block:
      return {"other C blocks", StepKind::c};
    case HolderKind::mapping:
      return {"memory of no allocator that is known", StepKind::unclear};
    case HolderKind::dead_go_object:
      return {"dead Go objects", StepKind::lost};
  }
  return {"?", StepKind::unclear};
}

StepKind kind_of(BlockVerdict verdict) {
  switch (verdict) {
    case BlockVerdict::held:
      return StepKind::c;
    case BlockVerdict::leaked_go_owner_dead:
    case BlockVerdict::leaked_unreachable:
      return StepKind::lost;
    case BlockVerdict::unknown:
      return StepKind::unclear;
  }
  return StepKind::unclear;
}

}  // namespace

std::uint32_t HolderWays::below(std::uint32_t above, std::string name, StepKind kind) {
  // A list or a tree of blocks has the same steps again and again.
  for (std::uint32_t at = above; at != 0; at = steps_[at].above)
    if (steps_[at].kind == kind && steps_[at].name == name) return at;
  if (depths_[above] > kMostSteps) return above;
  if (depths_[above] == kMostSteps) {
    name = "and further blocks behind them";
    if (steps_[above].kind != kind) kind = StepKind::unclear;
  }
  std::string key =
      std::to_string(above) + ' ' + std::to_string(static_cast<int>(kind)) + ' ' + name;
  const auto [found, fresh] =
      numbers_.try_emplace(std::move(key), static_cast<std::uint32_t>(steps_.size()));
  if (fresh) {
    steps_.push_back({above, std::move(name), kind});
    depths_.push_back(depths_[above] + 1);
  }
  return found->second;
}

std::uint32_t HolderWays::root_of(HeapSnapshot& heap, std::uint32_t block) {
  const BlockHolder* holder = best_beside_blocks(heap.graph(), block);
  if (holder == nullptr) {
    const bool alone = heap.graph().holder_count(block) == 0;
    return below(0, alone ? "nothing refers to it" : "blocks that only refer to each other",
                 kind_of(heap.verdict(block)));
  }
  const auto [words, kind] = kind_of(holder->kind);
  const std::uint32_t root = below(0, words, kind);
  const std::string name = row_name(owner_row(heap, holder));
  return name == words ? root : below(root, name, kind);
}

/// From blocks whose way is known to those that they lead to and nothing led to before.
void HolderWays::join_blocks(HeapSnapshot& heap, std::vector<std::uint32_t> from) {
  for (std::size_t next = 0; next < from.size(); ++next) {
    const std::uint32_t block = from[next];
    for (std::uint32_t i = first_target_[block]; i < first_target_[block + 1]; ++i) {
      const std::uint32_t target = targets_[i];
      if (ways_[target] != 0) continue;
      ways_[target] = below(ways_[block], name_of_block_(target), kind_of(heap.verdict(target)));
      from.push_back(target);
    }
  }
}

HolderWays::HolderWays(HeapSnapshot& heap,
                       const std::function<std::string(std::uint32_t)>& name_of_block)
    : name_of_block_(name_of_block), ways_(heap.blocks().size()) {
  const BlockGraph& graph = heap.graph();
  const std::uint32_t count = static_cast<std::uint32_t>(graph.blocks().size());
  first_target_.assign(count + 1, 0);
  const auto each_edge = [&](const auto& see) {
    for (std::uint32_t block = 0; block < count; ++block)
      for (const BlockHolder& holder : graph.holders(block))
        if (holder.kind == HolderKind::c_block && holder.from < count)
          see(static_cast<std::uint32_t>(holder.from), block);
  };
  each_edge([&](std::uint32_t from, std::uint32_t) { ++first_target_[from + 1]; });
  std::partial_sum(first_target_.begin(), first_target_.end(), first_target_.begin());
  targets_.resize(first_target_.back());
  std::vector<std::uint32_t> next(first_target_.begin(), first_target_.end() - 1);
  each_edge([&](std::uint32_t from, std::uint32_t to) { targets_[next[from]++] = to; });
  const auto begin_at = [&](const std::vector<std::uint32_t>& blocks) {
    std::vector<std::uint32_t> fresh;
    for (const std::uint32_t block : blocks) {
      if (ways_[block] != 0) continue;
      ways_[block] =
          below(root_of(heap, block), name_of_block_(block), kind_of(heap.verdict(block)));
      fresh.push_back(block);
    }
    join_blocks(heap, std::move(fresh));
  };
  auto seeds = by_rank(graph);
  std::vector<std::uint32_t> rest = std::move(seeds.back());
  seeds.pop_back();
  for (const auto& blocks : seeds) begin_at(blocks);
  std::vector<std::uint32_t> alone;
  std::ranges::copy_if(rest, std::back_inserter(alone),
                       [&](std::uint32_t block) { return graph.holder_count(block) == 0; });
  begin_at(alone);
  // Rings of blocks: each begins at its first.
  for (const std::uint32_t block : rest) begin_at({block});
}

}  // namespace cgo
