#pragma once

#include <memory>

#include <lldb/API/LLDB.h>

#include "lldb-plugin/session.h"
#include "lldb-plugin/settings.h"

namespace cgo {

/// What lives as long as the debugger process: shared by all its debuggers.
struct Plugin {
  Sessions sessions;
  Settings settings;
};

/// Adds "cgo" with every command of the table to a debugger; nothing when it is there already.
/// False when LLDB refuses.
bool add_commands(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

}  // namespace cgo
