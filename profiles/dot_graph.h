#pragma once

#include <string>

#include "profiles/profile.h"

namespace cgo {

inline constexpr std::size_t kMostDotNodes = 200;

/// A graph for Graphviz: each step with its blocks and bytes, and those behind it. Beyond
/// `most_nodes` the lightest are left out, which a node of its own counts.
std::string dot_graph(const Profile& profile, std::size_t most_nodes = kMostDotNodes);

}  // namespace cgo
