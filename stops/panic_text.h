#pragma once

#include <string>

#include "stops/panic_fate.h"

namespace cgo {

/// What is to be said of a panic, for people: who panics, who may recover it, and which frames of C
/// that skips. Several lines, each indented by two. `panicking`: the physical frame of gopanic.
std::string panic_text(const Stack& stack, const PanicFate& fate, std::size_t panicking);

}  // namespace cgo
