#pragma once

#include "lldb-plugin/command_line.h"
#include "lldb-plugin/interrupts.h"

namespace cgo {

/// `lldb-cgo trace`: attaches to a process or starts a program, has LLDB trace it in a process of
/// its own, and sees to it that what is traced survives whatever becomes of LLDB. Returns the exit
/// status. To be called before any thread is started.
int trace_headless(const CommandLine& line, Interrupts& interrupts);

}  // namespace cgo
