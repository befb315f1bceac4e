#pragma once

#include <cstdint>
#include <vector>

#include "profiles/profile.h"

namespace cgo {

/// All stacks of a profile laid over each other from the outermost step on. Nodes are in an order
/// in which each comes behind its parent; node 0 stands for everything.
class FrameTree {
 public:
  struct Sum {
    std::uint64_t blocks = 0, bytes = 0;
    std::uint64_t by(Weight weight) const { return weight == Weight::bytes ? bytes : blocks; }
  };
  struct Node {
    std::uint32_t function = 0;  ///< Of node 0 without meaning.
    std::uint32_t parent = 0;
    std::uint32_t depth = 0;
    Sum own;  ///< Of stacks that end here.
    Sum all;  ///< With those that go on.
  };

  static FrameTree of(const Profile& profile);

  const std::vector<Node>& nodes() const { return nodes_; }
  /// Of each node, whether it is one of the `most` with the largest weight of at least `least`;
  /// the parent of one that is has at least as much and is one too. Node 0 always is.
  std::vector<bool> largest(Weight weight, std::size_t most, std::uint64_t least) const;
  /// Of each node, what lies in front of it in its row where rows are packed: below a parent the
  /// heaviest child comes first, after that by name.
  std::vector<std::uint64_t> starts(const Profile& profile, Weight weight) const;

 private:
  std::vector<Node> nodes_;
};

}  // namespace cgo
