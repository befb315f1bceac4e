#pragma once

#include <csignal>

namespace cgo {

/// How often the user pressed Ctrl-C.
using Interrupts = const volatile std::sig_atomic_t;

/// Counts Ctrl-C from now on; the second one ends the program. Called first thing, so that there is
/// no moment in which the first one ends it without a word.
Interrupts& count_interrupts();

/// Ctrl-C ends the program again.
void stop_counting_interrupts();

}  // namespace cgo
