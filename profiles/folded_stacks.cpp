#include "profiles/folded_stacks.h"

#include <algorithm>

#include "profiles/frame_tree.h"

namespace cgo {
namespace {

std::string line_name(const std::string& name) {
  std::string out = name;
  std::ranges::replace(out, ';', ':');
  return out;
}

}  // namespace

std::string folded_stacks(const Profile& profile, Weight weight) {
  const FrameTree tree = FrameTree::of(profile);
  std::string out;
  std::vector<std::uint32_t> way;
  for (std::uint32_t i = 1; i < tree.nodes().size(); ++i) {
    const std::uint64_t own = tree.nodes()[i].own.by(weight);
    if (own == 0) continue;
    way.clear();
    for (std::uint32_t at = i; at != 0; at = tree.nodes()[at].parent) way.push_back(at);
    for (std::size_t step = way.size(); step-- > 0;) {
      out += line_name(profile.functions[tree.nodes()[way[step]].function].name);
      out += step == 0 ? ' ' : ';';
    }
    out += std::to_string(own) + "\n";
  }
  return out;
}

}  // namespace cgo
