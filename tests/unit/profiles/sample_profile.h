#pragma once

#include <string>
#include <vector>

#include "profiles/profile.h"

namespace cgo {

/// Text that would break out of any format that does not guard against it.
inline const std::string kHostile =
    std::string(
        "a\"b'<c>&amp;;d\\n\ne\t\x1b[31m]]></script>\xff\xc3\x28 \xef\xbf\xbf \xe2\x80\xae z") +
    '\0' + "end";

/// Builds stacks from names, the outermost first as people write them.
struct SampleProfile {
  ProfileBuilder builder;

  std::uint32_t stack(const std::vector<std::string>& names, StepKind kind = StepKind::go) {
    std::vector<std::uint32_t> places;
    for (auto name = names.rbegin(); name != names.rend(); ++name)
      places.push_back(builder.step(*name, kind));
    return builder.stack(std::move(places));
  }
  void add(const std::vector<std::string>& names, std::uint64_t blocks, std::uint64_t bytes,
           const Profile::Labels& labels = {}) {
    builder.add({.stack = stack(names),
                 .labels = builder.labels(labels),
                 .blocks = blocks,
                 .bytes = bytes,
                 .retained_bytes = bytes});
  }
  Profile finish() { return builder.finish("C memory", {{StepKind::go, "Go"}}); }
};

}  // namespace cgo
