#include "lldb-plugin/debugger_hooks.h"

#include "lldb-plugin/expression_guard.h"
#include "lldb-plugin/goroutine_threads.h"
#include "lldb-plugin/newer_api.h"
#include "lldb-plugin/python_module.h"
#include "lldb-plugin/target_watch.h"

namespace cgo {
namespace {

/// Go preempts goroutines with SIGURG all the time; stopping at each would make stepping useless.
constexpr const char* kPassSigurg = "process handle SIGURG --pass true --stop false --notify false";

/// LLDB 22 puts the locals of the selected frame into each expression and crashes in frames of a
/// provider, which have none. Without this it finds locals by name all the same.
constexpr const char* kKeepLocalsOut = "settings set target.experimental.inject-local-vars false";
constexpr const char* kKeepLocalsOutOfNewTargets =
    "settings set -g target.experimental.inject-local-vars false";

void say_to(lldb::SBDebugger debugger, lldb::SBTarget target, const char* command) {
  lldb::SBExecutionContext context(target);
  lldb::SBCommandReturnObject result;
  debugger.GetCommandInterpreter().HandleCommand(command, context, result, false);
}

}  // namespace

bool hook_into(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  // New targets begin as copies of the dummy target.
  const bool provides_frames = NewerApi::has_frame_providers();
  say_to(debugger, debugger.GetDummyTarget(), kPassSigurg);
  if (provides_frames) say_to(debugger, debugger.GetDummyTarget(), kKeepLocalsOutOfNewTargets);
  for (std::uint32_t i = 0; i < debugger.GetNumTargets(); ++i) {
    say_to(debugger, debugger.GetTargetAtIndex(i), kPassSigurg);
    if (provides_frames) say_to(debugger, debugger.GetTargetAtIndex(i), kKeepLocalsOut);
  }
  if (add_python_modules(debugger, plugin)) {
    watch_targets(debugger, plugin);
    if (provides_frames) guard_expressions(debugger);
    follow_goroutine_threads(debugger, plugin);
  }
  return true;
}

}  // namespace cgo
