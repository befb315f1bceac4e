#include "profiles/dot_graph.h"

#include <fmt/format.h>

#include "profiles/frame_tree.h"

namespace cgo {
namespace {

const char* colour_for(StepKind kind) {
  switch (kind) {
    case StepKind::go:
      return "#a8d8ea";
    case StepKind::c:
      return "#f7d794";
    case StepKind::crossing:
      return "#d6c1f0";
    case StepKind::lost:
      return "#f3a299";
    case StepKind::unclear:
      return "#d5d5d5";
    case StepKind::note:
      return "#eeeeee";
  }
  return "#eeeeee";
}

/// Text within double quotes, where Graphviz reads backslashes and HTML's entities.
std::string dot_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

/// What the graph shows, and what is missing.
std::string heading(const Profile& profile) {
  std::string out = dot_text(profile.title);
  for (const std::string& note : profile.notes) out += "\\n" + dot_text(note);
  return out;
}

std::string counted(const FrameTree::Sum& sum) {
  return fmt::format("{} block{}, {} bytes", sum.blocks, sum.blocks == 1 ? "" : "s", sum.bytes);
}

std::string node_line(const Profile& profile, const FrameTree::Node& node, std::uint32_t number) {
  const Profile::Function& step = profile.functions[node.function];
  std::string label = dot_text(step.name) + "\\n" + counted(node.all);
  if (node.own.blocks != 0 && node.own.blocks != node.all.blocks)
    label += "\\nof these here " + counted(node.own);
  return fmt::format("  n{} [label=\"{}\", fillcolor=\"{}\"];\n  n{} -> n{};\n", number, label,
                     colour_for(step.kind), node.parent, number);
}

}  // namespace

std::string dot_graph(const Profile& profile, std::size_t most_nodes) {
  const FrameTree tree = FrameTree::of(profile);
  const std::vector<bool> kept = tree.largest(Weight::bytes, most_nodes, 0);
  std::string out = fmt::format(
      "digraph \"C memory\" {{\n"
      "  graph [rankdir=LR, labelloc=t, label=\"{}\", fontname=\"sans-serif\"];\n"
      "  node [shape=box, style=filled, fontname=\"sans-serif\", fillcolor=\"#eeeeee\"];\n"
      "  n0 [label=\"{}\\n{}\"];\n",
      heading(profile), profile.blocks() == 0 ? "nothing" : "all of it",
      counted(tree.nodes()[0].all));
  FrameTree::Sum left_out;
  std::uint64_t count = 0;
  std::string edges;
  std::vector<bool> drawn(tree.nodes().size());
  for (std::uint32_t i = 1; i < tree.nodes().size(); ++i) {
    const FrameTree::Node& node = tree.nodes()[i];
    if (kept[i]) {
      out += node_line(profile, node, i);
      continue;
    }
    ++count;
    if (!kept[node.parent]) continue;
    left_out.blocks += node.all.blocks;
    left_out.bytes += node.all.bytes;
    if (!drawn[node.parent]) edges += fmt::format("  n{} -> left_out;\n", node.parent);
    drawn[node.parent] = true;
  }
  if (count != 0)
    out += fmt::format("  left_out [label=\"{} more are left out\\n{}\", style=dashed];\n{}", count,
                       counted(left_out), edges);
  return out + "}\n";
}

}  // namespace cgo
