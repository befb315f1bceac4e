#pragma once

#include "lldb-plugin/signal_report.h"
#include "lldb-plugin/system_calls.h"

namespace cgo {

/// Asks the kernel for the action of each signal, on one thread, and for each thread's alternate
/// stack. Fails when no thread can make calls; a thread that cannot is left with why.
Result<void> ask_kernel(SystemCalls& calls, SignalReport& report);

}  // namespace cgo
