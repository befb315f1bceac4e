#include "owners/dominators.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

namespace cgo {
namespace {

struct Made {
  std::vector<std::uint32_t> targets, first{0};

  explicit Made(const std::vector<std::vector<std::uint32_t>>& edges) {
    for (const auto& from : edges) {
      targets.insert(targets.end(), from.begin(), from.end());
      first.push_back(static_cast<std::uint32_t>(targets.size()));
    }
  }
  Dominators::Graph graph() const { return {targets, first}; }
};

/// The nodes that can be come to without passing `without`.
std::set<std::uint32_t> come_to(const Dominators::Graph& graph,
                                std::span<const std::uint32_t> entries, std::uint32_t without) {
  std::set<std::uint32_t> seen;
  std::vector<std::uint32_t> open(entries.begin(), entries.end());
  while (!open.empty()) {
    const std::uint32_t node = open.back();
    open.pop_back();
    if (node == without || !seen.insert(node).second) continue;
    for (const std::uint32_t target : graph.from(node)) open.push_back(target);
  }
  return seen;
}

TEST_CASE("a node is above those that only it leads to") {
  // 0 → 1 → 2, 0 → 3 → 2, 2 → 4 → 2, 5 alone.
  const Made made({{1, 3}, {2}, {4}, {2}, {2}, {}});
  const std::vector<std::uint32_t> entries{0, 5};
  const Dominators tree = Dominators::of(made.graph(), entries);
  CHECK_FALSE(tree.above(0));
  CHECK(tree.above(1) == 0u);
  CHECK(tree.above(2) == 0u);
  CHECK(tree.above(3) == 0u);
  CHECK(tree.above(4) == 2u);
  CHECK_FALSE(tree.above(5));
}

TEST_CASE("a ring that nothing leads to hangs from its first node") {
  const Made made({{1}, {2}, {0}});
  const Dominators tree = Dominators::of(made.graph(), {});
  CHECK_FALSE(tree.above(0));
  CHECK(tree.above(1) == 0u);
  CHECK(tree.above(2) == 1u);
}

TEST_CASE("in any graph the ways agree with those found by leaving each node out") {
  std::mt19937 random(11);
  const auto any = [&] { return static_cast<std::uint32_t>(random()); };
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t nodes = 2 + any() % 14;
    std::vector<std::vector<std::uint32_t>> edges(nodes);
    for (std::uint32_t i = 0; i < nodes * 2; ++i) edges[any() % nodes].push_back(any() % nodes);
    std::vector<std::uint32_t> entries{any() % nodes, any() % nodes};
    const Made made(edges);
    const Dominators tree = Dominators::of(made.graph(), entries);
    const auto all = come_to(made.graph(), entries, nodes);
    for (const std::uint32_t lost : all) {
      const auto left = come_to(made.graph(), entries, lost);
      for (const std::uint32_t node : all) {
        bool is_above = false;
        for (auto up = tree.above(node); up && !is_above; up = tree.above(*up))
          is_above = *up == lost;
        CHECK(is_above == (node != lost && !left.contains(node)));
      }
    }
    std::set<std::uint32_t> passed;
    for (const std::uint32_t node : tree.inner_first()) {
      CHECK(passed.insert(node).second);
      if (const auto up = tree.above(node)) CHECK_FALSE(passed.contains(*up));
    }
    CHECK(passed.size() == nodes);
  }
}

}  // namespace
}  // namespace cgo
