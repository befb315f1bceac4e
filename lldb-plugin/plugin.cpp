#include <lldb/API/LLDB.h>

#include <cstdio>
#include <memory>

#include "lldb-plugin/debugger_hooks.h"
#include "lldb-plugin/liblldb_binding.h"
#include "lldb-plugin/lldb_commands.h"

namespace {

/// One for the whole debugger process, which LLDB's interface leaves no other place for. Never
/// destroyed: LLDB may already be gone when a process ends.
const std::shared_ptr<cgo::Plugin>& plugin_of_this_process() {
  static const auto& plugin = *new std::shared_ptr<cgo::Plugin>(std::make_shared<cgo::Plugin>());
  return plugin;
}

}  // namespace

namespace lldb {

/// Called by `plugin load`, once for each debugger.
__attribute__((visibility("default"))) bool PluginInitialize(SBDebugger debugger);

bool PluginInitialize(SBDebugger debugger) try {
  if (const auto missing = cgo::missing_lldb_functions(); !missing.empty()) {
    std::fprintf(stderr,
                 "lldb-cgo: this LLDB is too old (it lacks %s); LLDB 19 or newer is needed\n",
                 missing.front().c_str());
    return false;
  }
  return cgo::add_commands(debugger, plugin_of_this_process()) &&
         cgo::hook_into(debugger, plugin_of_this_process());
} catch (...) {
  return false;
}

}  // namespace lldb
