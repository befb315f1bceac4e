#pragma once

#include <sys/types.h>

#include "target/result.h"

namespace cgo {

/// Puts a process of this machine right whose debugger has died: waits until nobody traces it,
/// puts the program's own bytes back where a breakpoint instruction stands in the code of its
/// files, and lets it go on where it was left stopped. `stays_stopped`: it was, before the
/// debugger came. io_failure when it is gone, still traced, or cannot be written to.
Result<void> mend_after_debugger(pid_t pid, bool stays_stopped);

}  // namespace cgo
