#include <exception>

#include "lldb-plugin/command_help.h"
#include "lldb-plugin/lldb_activity.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/lldb_system_calls.h"
#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

struct LldbRunner {
  std::string_view name;
  Answer (*run)(LldbContext&, const CommandLine&);
};

constexpr LldbRunner kLldbRunners[] = {{"frame", run_frame}, {"up", run_up}, {"down", run_down}};

Answer no_process(lldb::SBDebugger debugger) {
  if (!debugger.GetSelectedTarget().IsValid())
    return Answer::failed(
        {"no process", "no target is selected",
         "'target create PROGRAM' and 'run', or 'target create PROGRAM --core FILE'"});
  return Answer::failed(
      {"no process", "the selected target does not run",
       "'run' it, 'process attach', or open a core with 'target create --core FILE'"});
}

bool has_process(lldb::SBProcess process) {
  return process.IsValid() && process.GetState() != lldb::eStateUnloaded &&
         process.GetState() != lldb::eStateInvalid;
}

Answer run_without_process(Plugin& plugin, const CommandLine& line) {
  if (line.command->name == "set") return run_set(plugin.settings, line);
  Answer answer;
  if (line.command->name == "version") {
    answer.out = "lldb-cgo " + std::string(version_text()) + "\n";
    return answer;
  }
  HelpAnswer help = help_answer(line, Host::lldb);
  if (!help.wrong.empty())
    return Answer::failed({"nothing to explain", help.wrong, "", ExitStatus::bad_arguments});
  answer.out = std::move(help.text);
  return answer;
}

}  // namespace

Answer run_in_lldb(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                   const CommandLine& line, bool colour) try {
  if (line.command->needs == Needs::nothing) return run_without_process(plugin, line);
  if (line.command->name == "trace") return run_trace(plugin, debugger, line);
  if (line.command->name == "break") return run_break(plugin, debugger, line);
  if (line.command->name == "heap" && line.positionals[0] == "track")
    return run_track(plugin, debugger, process, line);
  if (!has_process(process)) return no_process(debugger);
  // Before the sessions' own lock: a frame provider comes with LLDB's lock held.
  const TargetLock lldb_lock(process.GetTarget());
  const auto session = plugin.sessions.use(process);
  session->read_again();
  lldb::SBThread thread = process.GetSelectedThread();
  LldbContext lldb_context{debugger, thread, *session.get(), plugin.settings};
  follow_native_selection(lldb_context);
  for (const LldbRunner& runner : kLldbRunners)
    if (runner.name == line.command->name) return runner.run(lldb_context, line);
  LldbSubject subject(session.get(), thread);
  const std::unique_ptr<Activity> activity = lldb_activity(debugger);
  LldbValueNaming naming(debugger, process, plugin.names);
  CommandContext context{subject, *activity, Host::lldb, colour};
  context.limits = plugin.settings.limits();
  context.naming = &naming;
  LldbSystemCalls calls(debugger, *session.get());
  context.calls = &calls;
  return run_reading_command(context, line);
} catch (const std::exception& error) {
  return Answer::failed({"an internal error", error.what(), "please report it"});
}

}  // namespace cgo
