#include "owners/block_graph.h"

#include <algorithm>
#include <limits>

#include "owners/dominators.h"

namespace cgo {

std::string_view name_of(HolderKind kind) {
  switch (kind) {
    case HolderKind::go_global:
      return "go_global";
    case HolderKind::go_stack:
      return "go_stack";
    case HolderKind::cleanup:
      return "cleanup";
    case HolderKind::go_object:
    case HolderKind::dead_go_object:
      return "go_object";
    case HolderKind::c_global:
      return "c_global";
    case HolderKind::c_stack:
      return "c_stack";
    case HolderKind::thread_storage:
      return "thread_storage";
    case HolderKind::register_word:
      return "register";
    case HolderKind::kernel:
      return "kernel";
    case HolderKind::c_block:
      return "c_block";
    case HolderKind::mapping:
      return "mapping";
  }
  return "unknown";
}

std::string_view name_of(BlockVerdict verdict) {
  switch (verdict) {
    case BlockVerdict::held:
      return "held";
    case BlockVerdict::leaked_go_owner_dead:
      return "leaked_go_owner_dead";
    case BlockVerdict::leaked_unreachable:
      return "leaked_unreachable";
    case BlockVerdict::unknown:
      return "unknown";
  }
  return "unknown";
}

bool BlockGraph::note(BlockHolder holder, std::uint64_t value) {
  const auto block = blocks_->find({value});
  if (!block) return false;
  const std::uint64_t offset = value - (*blocks_)[*block].begin.value;
  holder.inside = offset != 0;
  holder.far = offset > kMostHeaderBytes;
  add(*block, holder);
  return true;
}

void BlockGraph::add(std::uint32_t block, const BlockHolder& holder) {
  const std::uint32_t before = counts_[block];
  if (before != std::numeric_limits<std::uint32_t>::max()) ++counts_[block];
  // Words of other blocks are all needed: they say what leads to what.
  if (before < kMostHolders || holder.kind == HolderKind::c_block)
    noted_.push_back({block, holder});
}

void BlockGraph::finish() {
  const std::size_t count = blocks_->size();
  std::ranges::stable_sort(noted_, {}, &Noted::block);
  first_.assign(count + 1, 0);
  first_target_.assign(count + 1, 0);
  for (const Noted& one : noted_) {
    ++first_[one.block + 1];
    if (one.holder.kind == HolderKind::c_block) ++first_target_[one.holder.from + 1];
  }
  for (std::size_t i = 0; i < count; ++i) {
    first_[i + 1] += first_[i];
    first_target_[i + 1] += first_target_[i];
  }
  holders_.reserve(noted_.size());
  targets_.resize(first_target_[count]);
  std::vector<std::uint32_t> next(first_target_.begin(), first_target_.end() - 1);
  for (const Noted& one : noted_) {
    holders_.push_back(one.holder);
    if (one.holder.kind == HolderKind::c_block) targets_[next[one.holder.from]++] = one.block;
  }
  noted_ = {};
  follow();
  retain();
}

std::span<const BlockHolder> BlockGraph::holders(std::uint32_t block) const {
  return std::span(holders_).subspan(first_[block], first_[block + 1] - first_[block]);
}

void BlockGraph::spread(std::vector<std::uint32_t> from, Reach reach) {
  for (const std::uint32_t block : from) reach_[block] = reach;
  while (!from.empty()) {
    const std::uint32_t block = from.back();
    from.pop_back();
    for (std::uint32_t i = first_target_[block]; i < first_target_[block + 1]; ++i) {
      if (reach_[targets_[i]] >= reach) continue;
      reach_[targets_[i]] = reach;
      from.push_back(targets_[i]);
    }
  }
}

void BlockGraph::follow() {
  reach_.assign(blocks_->size(), Reach::none);
  std::vector<std::uint32_t> doubtful, dead, roots;
  for (std::uint32_t block = 0; block < blocks_->size(); ++block)
    for (const BlockHolder& holder : holders(block)) switch (holder.kind) {
        case HolderKind::c_block:
          break;
        case HolderKind::mapping:
          doubtful.push_back(block);
          break;
        case HolderKind::go_stack:
          // What is no pointer by the compiler's map may be what was there before.
          (holder.pointer ? roots : doubtful).push_back(block);
          break;
        case HolderKind::go_object:
        case HolderKind::go_global:
          // A number that leads to the middle of a block may be any number. Pointers to types
          // that C does not define are numbers for Go's collector.
          (holder.pointer || !holder.far ? roots : doubtful).push_back(block);
          break;
        case HolderKind::dead_go_object:
          dead.push_back(block);
          break;
        default:
          roots.push_back(block);
          break;
      }
  spread(std::move(dead), Reach::dead_owner);
  spread(std::move(doubtful), Reach::doubtful);
  spread(std::move(roots), Reach::root);
}

BlockVerdict BlockGraph::verdict(std::uint32_t block, bool everything_seen) const {
  if (reach_[block] == Reach::root) return BlockVerdict::held;
  if (reach_[block] == Reach::doubtful || !everything_seen) return BlockVerdict::unknown;
  return reach_[block] == Reach::dead_owner ? BlockVerdict::leaked_go_owner_dead
                                            : BlockVerdict::leaked_unreachable;
}

/// A root leads to each block that something beside blocks refers to, and to those of blocks that
/// nothing else leads to.
void BlockGraph::retain() {
  const auto count = static_cast<std::uint32_t>(blocks_->size());
  std::vector<std::uint32_t> entries;
  for (std::uint32_t block = 0; block < count; ++block)
    if (std::ranges::any_of(holders(block), [](const BlockHolder& holder) {
          return holder.kind != HolderKind::c_block;
        }))
      entries.push_back(block);
  const Dominators tree = Dominators::of({targets_, first_target_}, entries);
  retained_.resize(count);
  below_another_.resize(count);
  for (std::uint32_t block = 0; block < count; ++block) retained_[block] = (*blocks_)[block].bytes;
  // Those further out come first in the order.
  for (const std::uint32_t block : tree.inner_first())
    if (const auto above = tree.above(block)) {
      retained_[*above] += retained_[block];
      below_another_[block] = true;
    }
}

}  // namespace cgo
