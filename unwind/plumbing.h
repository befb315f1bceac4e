#pragma once

#include <string_view>

#include "target/dwarf.h"

namespace cgo {

/// Whether a function only carries a crossing between the languages, a signal, or the start of a
/// goroutine or thread, so that people want to see it only when they ask.
/// Source: cmd/cgo/out.go (names it generates), runtime/cgo, runtime/signal_unix.go; Go 1.19-1.27.
bool is_plumbing(Language language, std::string_view function, std::string_view file);

/// Whether a function of the Go runtime is part of handling a signal when it lies inside a signal
/// frame: everything there is, except what the program itself put there.
bool is_runtime_function(std::string_view function);

}  // namespace cgo
