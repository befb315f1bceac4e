#pragma once

#include <lldb/API/LLDB.h>

#include <memory>

#include "lldb-plugin/lldb_commands.h"

namespace cgo {

/// Makes a debugger treat all its targets, present and future, as Go programs need: SIGURG is
/// passed on without a stop, and stacks are shown whole where LLDB lets scripts provide frames.
/// Once for a debugger; more calls change nothing.
bool hook_into(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

}  // namespace cgo
