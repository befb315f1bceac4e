#pragma once

#include "lldb-plugin/command_line.h"
#include "lldb-plugin/interrupts.h"

namespace cgo {

/// Loads LLDB and the plugin that lies beside this program, in a process of its own, and runs a
/// command there; returns the exit status. The answer is printed; when LLDB crashes, so is that.
int run_through_lldb(const CommandLine& line, Interrupts& interrupts);

/// The same in this process, which LLDB takes with it when it crashes.
int run_in_lldb(const CommandLine& line, Interrupts& interrupts);

}  // namespace cgo

/// What the plugin exports for it: `words` are the command and its flags, as on the command line;
/// `interrupts` is counted by the program.
extern "C" int lldb_cgo_headless(int count, const char* const* words, cgo::Interrupts* interrupts);
