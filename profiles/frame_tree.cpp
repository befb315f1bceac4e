#include "profiles/frame_tree.h"

#include <algorithm>
#include <numeric>
#include <ranges>
#include <tuple>
#include <unordered_map>

namespace cgo {
namespace {

void add(FrameTree::Sum& sum, std::uint64_t blocks, std::uint64_t bytes) {
  sum.blocks += blocks;
  sum.bytes += bytes;
}

/// The last node of each stack of a profile; makes the nodes.
class Planter {
 public:
  Planter(const Profile& profile, std::vector<FrameTree::Node>& nodes)
      : profile_(profile), nodes_(nodes) {}

  std::uint32_t end_of(const std::vector<std::uint32_t>& stack) {
    std::uint32_t at = 0;
    for (const std::uint32_t place : stack | std::views::reverse)
      for (const Profile::Line& line : profile_.places[place].lines | std::views::reverse)
        at = child(at, line.function);
    return at;
  }

 private:
  std::uint32_t child(std::uint32_t parent, std::uint32_t function) {
    const std::uint64_t key = std::uint64_t{parent} << 32 | function;
    const auto fresh_number = static_cast<std::uint32_t>(nodes_.size());
    const auto [found, fresh] = children_.try_emplace(key, fresh_number);
    if (fresh)
      nodes_.push_back({.function = function, .parent = parent, .depth = nodes_[parent].depth + 1});
    return found->second;
  }

  const Profile& profile_;
  std::vector<FrameTree::Node>& nodes_;
  std::unordered_map<std::uint64_t, std::uint32_t> children_;
};

}  // namespace

FrameTree FrameTree::of(const Profile& profile) {
  FrameTree out;
  out.nodes_.emplace_back();
  Planter planter(profile, out.nodes_);
  std::vector<std::uint32_t> ends;
  for (const auto& stack : profile.stacks) ends.push_back(planter.end_of(stack));
  for (const Profile::Sample& sample : profile.samples)
    add(out.nodes_[ends[sample.stack]].own, sample.blocks, sample.bytes);
  for (Node& node : out.nodes_) node.all = node.own;
  for (std::size_t i = out.nodes_.size() - 1; i > 0; --i)
    add(out.nodes_[out.nodes_[i].parent].all, out.nodes_[i].all.blocks, out.nodes_[i].all.bytes);
  return out;
}

std::vector<bool> FrameTree::largest(Weight weight, std::size_t most, std::uint64_t least) const {
  std::vector<std::uint32_t> order(nodes_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater(),
                           [&](std::uint32_t node) { return nodes_[node].all.by(weight); });
  std::vector<bool> out(nodes_.size());
  for (const std::uint32_t node : order | std::views::take(most))
    out[node] = nodes_[node].all.by(weight) >= least;
  out[0] = true;
  return out;
}

std::vector<std::uint64_t> FrameTree::starts(const Profile& profile, Weight weight) const {
  std::vector<std::uint32_t> order(nodes_.size() - 1);
  std::iota(order.begin(), order.end(), 1u);
  const auto place_in_row = [&](std::uint32_t node) {
    const Node& one = nodes_[node];
    return std::tuple(one.depth, ~one.all.by(weight),
                      std::string_view(profile.functions[one.function].name));
  };
  std::ranges::stable_sort(order, {}, place_in_row);
  std::vector<std::uint64_t> out(nodes_.size()), taken(nodes_.size());
  for (const std::uint32_t node : order) {
    const std::uint32_t parent = nodes_[node].parent;
    out[node] = out[parent] + taken[parent];
    taken[parent] += nodes_[node].all.by(weight);
  }
  return out;
}

}  // namespace cgo
