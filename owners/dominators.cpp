#include "owners/dominators.h"

#include <algorithm>

namespace cgo {
namespace {

using Graph = Dominators::Graph;
constexpr std::uint32_t kNone = Dominators::kNone;

/// The nodes in the order in which a search in depth leaves them.
class Search {
 public:
  explicit Search(const Graph& graph) : graph_(graph), seen_(graph.nodes()) {
    order_.reserve(graph.nodes());
  }

  /// False when it was seen before.
  bool from(std::uint32_t node) {
    if (seen_[node]) return false;
    enter(node);
    while (!open_.empty()) {
      Open& top = open_.back();
      const auto targets = graph_.from(top.node);
      while (top.next < targets.size() && seen_[targets[top.next]]) ++top.next;
      if (top.next < targets.size()) {
        enter(targets[top.next++]);
        continue;
      }
      order_.push_back(top.node);
      open_.pop_back();
    }
    return true;
  }
  std::uint32_t left() const { return static_cast<std::uint32_t>(order_.size()); }
  std::vector<std::uint32_t> take() { return std::move(order_); }

 private:
  struct Open {
    std::uint32_t node, next;
  };
  void enter(std::uint32_t node) {
    seen_[node] = true;
    open_.push_back({node, 0});
  }

  const Graph& graph_;
  std::vector<bool> seen_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> order_;
};

/// The edges turned round.
struct Sources {
  std::vector<std::uint32_t> nodes, first;

  explicit Sources(const Graph& graph) : nodes(graph.targets.size()), first(graph.first.size(), 0) {
    for (const std::uint32_t target : graph.targets) ++first[target + 1];
    for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
    std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
    for (std::uint32_t node = 0; node < graph.nodes(); ++node)
      for (const std::uint32_t target : graph.from(node)) nodes[next[target]++] = node;
  }
};

/// The root that all entries hang from has the place behind all nodes.
class Solver {
 public:
  /// The first `led_to` of the order are those that the entries lead to.
  Solver(const Graph& graph, std::vector<bool> entry, std::vector<std::uint32_t> order,
         std::uint32_t led_to)
      : led_to_(led_to),
        sources_(graph),
        entry_(std::move(entry)),
        order_(std::move(order)),
        place_(graph.nodes(), kNone),
        above_(graph.nodes() + 1, kNone) {
    for (std::uint32_t i = 0; i < order_.size(); ++i) place_[order_[i]] = i;
    above_[root()] = root();
  }

  /// By place; the root's is the number of nodes.
  std::vector<std::uint32_t> solve() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t at = root(); at-- > 0;) {
        const std::uint32_t found = nearest(order_[at]);
        changed = changed || above_[at] != found;
        above_[at] = found;
      }
    }
    return std::move(above_);
  }

 private:
  std::uint32_t root() const { return static_cast<std::uint32_t>(order_.size()); }
  std::uint32_t nearest(std::uint32_t node) const {
    std::uint32_t found = entry_[node] ? root() : kNone;
    for (std::uint32_t i = sources_.first[node]; i < sources_.first[node + 1]; ++i) {
      const std::uint32_t from = place_[sources_.nodes[i]];
      // Ways from what is not led to count among themselves only.
      if (above_[from] == kNone || (place_[node] < led_to_ && from >= led_to_)) continue;
      found = found == kNone ? from : common(found, from);
    }
    return found;
  }
  std::uint32_t common(std::uint32_t a, std::uint32_t b) const {
    while (a != b) {
      while (a < b) a = above_[a];
      while (b < a) b = above_[b];
    }
    return a;
  }

  const std::uint32_t led_to_;
  Sources sources_;
  std::vector<bool> entry_;
  std::vector<std::uint32_t> order_, place_, above_;
};

}  // namespace

Dominators Dominators::of(const Graph& graph, std::span<const std::uint32_t> entries) {
  std::vector<bool> entry(graph.nodes());
  Search search(graph);
  for (const std::uint32_t node : entries) {
    entry[node] = true;
    search.from(node);
  }
  const std::uint32_t led_to = search.left();
  for (std::uint32_t node = 0; node < graph.nodes(); ++node)
    if (search.from(node)) entry[node] = true;
  Dominators out;
  out.inner_first_ = search.take();
  const std::vector<std::uint32_t> above =
      Solver(graph, std::move(entry), out.inner_first_, led_to).solve();
  out.above_.assign(graph.nodes(), kNone);
  for (std::uint32_t at = 0; at < out.inner_first_.size(); ++at)
    if (above[at] < out.inner_first_.size())
      out.above_[out.inner_first_[at]] = out.inner_first_[above[at]];
  return out;
}

}  // namespace cgo
