#pragma once

#include <string>

#include "profiles/profile.h"

namespace cgo {

struct FlameGraphOptions {
  Weight weight = Weight::bytes;
  /// More frames are not drawn; the picture says how many.
  std::size_t most_frames = 20'000;
  /// So many are drawn even where they are too narrow to see before a part is shown alone.
  std::size_t narrow_frames = 5'000;
};

/// An SVG picture with all that it needs in it: a click shows a part at full width, it can be
/// searched, and what the mouse is over is described. The outermost steps are at the top. The
/// profile's legend says what colours mean.
std::string flame_graph(const Profile& profile, const FlameGraphOptions& options);

}  // namespace cgo
