#pragma once

#include <memory>

#include <lldb/API/LLDB.h>

#include "lldb-plugin/lldb_commands.h"

namespace cgo {

/// Registers the frame provider with every target of a debugger as soon as there is one, for as long
/// as the debugger lives; follows the setting native-bt. Does nothing where LLDB has no frame
/// providers. Once for a debugger; more calls change nothing.
void watch_targets(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

}  // namespace cgo
