#pragma once

#include <lldb/API/LLDB.h>

#include <memory>

#include "lldb-plugin/lldb_commands.h"

namespace cgo {

/// Makes `import lldb_cgo` work in LLDB's Python, and in the script namespace of `debugger`. False
/// when this LLDB has no Python; everything else works without it.
bool add_python_modules(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

/// Runs the script of `lldb-cgo script` on the selected target; the exit status.
int run_script(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin, const CommandLine& line);

}  // namespace cgo
