#include "lldb-plugin/debugger_hooks.h"

#include "lldb-plugin/goroutine_threads.h"
#include "lldb-plugin/python_module.h"
#include "lldb-plugin/target_watch.h"

namespace cgo {
namespace {

/// Go preempts goroutines with SIGURG all the time; stopping at each would make stepping useless.
constexpr const char* kPassSigurg = "process handle SIGURG --pass true --stop false --notify false";

void pass_sigurg(lldb::SBDebugger debugger, lldb::SBTarget target) {
  lldb::SBExecutionContext context(target);
  lldb::SBCommandReturnObject result;
  debugger.GetCommandInterpreter().HandleCommand(kPassSigurg, context, result, false);
}

}  // namespace

bool hook_into(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  // New targets begin as copies of the dummy target.
  pass_sigurg(debugger, debugger.GetDummyTarget());
  for (std::uint32_t i = 0; i < debugger.GetNumTargets(); ++i)
    pass_sigurg(debugger, debugger.GetTargetAtIndex(i));
  if (add_python_modules(debugger, plugin)) {
    watch_targets(debugger, plugin);
    follow_goroutine_threads(debugger, plugin);
  }
  return true;
}

}  // namespace cgo
