#pragma once

#include "lldb-plugin/command_line.h"
#include "lldb-plugin/interrupts.h"

namespace cgo {

/// The part of `lldb-cgo trace` that has LLDB: traces the process of --pid until its time is over,
/// a signal (SIGINT, SIGTERM, SIGHUP, SIGQUIT, which have to be blocked in all threads) asks for
/// the end, or the process ends, and leaves it running as it was found. With `line.program` that
/// process stands before its first instruction; Ctrl-C of the terminal is its own then, and records
/// come to stdout after its end. Returns the exit status.
int trace_live(const CommandLine& line, Interrupts& interrupts);

}  // namespace cgo
