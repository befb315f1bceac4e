#include <exception>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/newer_api.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Runner = Answer (*)(CommandContext&, const CommandLine&);

struct NamedRunner {
  std::string_view name;
  Runner run;
};

constexpr NamedRunner kRunners[] = {
    {"bt", run_bt},         {"frame", run_frame}, {"up", run_up},     {"down", run_down},
    {"doctor", run_doctor}, {"set", run_set},     {"help", run_help}, {"version", run_version},
};

Runner runner_of(const Command& command) {
  for (const NamedRunner& runner : kRunners)
    if (runner.name == command.name) return runner.run;
  return nullptr;
}

Answer no_process(CommandContext& context) {
  if (!context.debugger.GetSelectedTarget().IsValid())
    return Answer::failed({"no process", "no target is selected",
                           "'target create PROGRAM' and 'run', or 'target create PROGRAM --core FILE'"});
  return Answer::failed({"no process", "the selected target does not run",
                         "'run' it, 'process attach', or open a core with 'target create --core FILE'"});
}

}  // namespace

std::string format_failure(std::string_view command, const Failure& failure) {
  std::string text = std::string(command) + ": " + escaped(failure.what);
  if (!failure.why.empty()) text += "\n  why: " + escaped(failure.why);
  if (!failure.hint.empty()) text += "\n  try: " + escaped(failure.hint);
  return text;
}

Answer run_command(CommandContext& context, const CommandLine& line) try {
  const Runner run = runner_of(*line.command);
  if (run == nullptr)
    return Answer::failed({"this command cannot run here", "it has no implementation", ""});
  if (line.command->needs == Needs::nothing) return run(context, line);
  if (!context.process.IsValid() || context.process.GetState() == lldb::eStateUnloaded ||
      context.process.GetState() == lldb::eStateInvalid)
    return no_process(context);
  // Before the sessions' own lock: a frame provider comes with LLDB's lock held.
  const TargetLock lldb_lock(context.process.GetTarget());
  const auto session = context.sessions.use(context.process);
  return run(context, line);
} catch (const std::exception& error) {
  return Answer::failed({"an internal error", error.what(), "please report it"});
}

}  // namespace cgo
