#pragma once

#include <string>

#include "profiles/profile.h"

namespace cgo {

/// A line a stack, "outermost;…;innermost weight", as scripts that draw flame graphs read it. A
/// semicolon in a name becomes a colon.
std::string folded_stacks(const Profile& profile, Weight weight);

}  // namespace cgo
