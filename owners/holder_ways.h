#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "owners/heap_snapshot.h"
#include "profiles/profile.h"

namespace cgo {

/// What holds each block, as steps: the kind of its root, the Go type and field or the variable
/// there, and the blocks from there to it; one that is like another on its way counts with that
/// one. A block counts for its best holder; where that is a block, for the nearest root of the best
/// kind that leads to it.
class HolderWays {
 public:
  struct Step {
    std::uint32_t above = 0;  ///< The step that leads here; 0 for the outermost.
    std::string name;
    StepKind kind = StepKind::note;
  };

  /// `name_of_block` says what blocks are called that are to be counted together.
  HolderWays(HeapSnapshot& heap, const std::function<std::string(std::uint32_t)>& name_of_block);

  /// The last step to a block; number 0 is none.
  std::uint32_t to(std::uint32_t block) const { return ways_[block]; }
  const Step& step(std::uint32_t number) const { return steps_[number]; }

 private:
  /// More steps than this, one below the other, are not told apart.
  static constexpr std::uint32_t kMostSteps = 24;

  std::uint32_t below(std::uint32_t above, std::string name, StepKind kind);
  std::uint32_t root_of(HeapSnapshot& heap, std::uint32_t block);
  void join_blocks(HeapSnapshot& heap, std::vector<std::uint32_t> from);

  const std::function<std::string(std::uint32_t)>& name_of_block_;
  std::vector<Step> steps_{1};
  std::vector<std::uint32_t> depths_{0};
  std::unordered_map<std::string, std::uint32_t> numbers_;  // By all that a step is.
  std::vector<std::uint32_t> ways_;
  std::vector<std::uint32_t> targets_, first_target_;  // Blocks that a block refers to.
};

}  // namespace cgo
