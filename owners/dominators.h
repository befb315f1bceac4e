#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace cgo {

/// Of each node of a graph, the nearest one that every way to it from outside passes.
class Dominators {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// The edges from node n lead to `targets[first[n]]` up to `targets[first[n + 1] - 1]`; `first`
  /// has one entry more than there are nodes.
  struct Graph {
    std::span<const std::uint32_t> targets, first;
    std::uint32_t nodes() const { return static_cast<std::uint32_t>(first.size()) - 1; }
    std::span<const std::uint32_t> from(std::uint32_t node) const {
      return targets.subspan(first[node], first[node + 1] - first[node]);
    }
  };

  /// The ways begin at `entries`. Nodes that none of them leads to are no part of such ways; they
  /// have their own, from those of the lowest numbers. Needs some dozen bytes a node and two an
  /// edge. Source: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001.
  static Dominators of(const Graph& graph, std::span<const std::uint32_t> entries);

  /// Nothing for a node to which ways lead that have no node in common.
  std::optional<std::uint32_t> above(std::uint32_t node) const {
    if (above_[node] == kNone) return std::nullopt;
    return above_[node];
  }
  /// All nodes, each before the one above it.
  std::span<const std::uint32_t> inner_first() const { return inner_first_; }

 private:
  std::vector<std::uint32_t> above_, inner_first_;
};

}  // namespace cgo
