// What the headless program runs inside the plugin: a target that needs LLDB.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "lldb-plugin/headless_answer.h"
#include "lldb-plugin/headless_lldb.h"
#include "lldb-plugin/headless_target.h"
#include "lldb-plugin/liblldb_binding.h"
#include "lldb-plugin/live_trace.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/lldb_system_calls.h"
#include "lldb-plugin/local_process.h"
#include "lldb-plugin/python_module.h"

namespace cgo {
namespace {

Result<lldb::SBProcess> load_core(lldb::SBDebugger debugger, const std::string& core,
                                  const std::string& exe) {
  lldb::SBError error;
  lldb::SBTarget target = debugger.CreateTarget(exe.c_str(), nullptr, nullptr, false, error);
  if (!target.IsValid()) return Error{ErrorCode::io_failure, exe + ": " + words_of(error)};
  lldb::SBProcess process = target.LoadCore(core.c_str(), error);
  if (error.Fail() || !process.IsValid())
    return Error{ErrorCode::io_failure, core + ": " + words_of(error)};
  return process;
}

Result<lldb::SBProcess> open_target(lldb::SBDebugger debugger, const CommandLine& line) {
  if (const auto pid = line.number("--pid")) return attach(debugger, *pid);
  return load_core(debugger, line.text("--core").value_or(""), line.text("--exe").value_or(""));
}

Answer run_in_terminal(Plugin& plugin, lldb::SBProcess process, const CommandLine& line,
                       Interrupts& interrupts, StandardOutput& out) {
  if (interrupts > 0) return Answer::failed(interrupted_early());
  const bool colour =
      !line.has("--json") && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  const auto session = plugin.sessions.use(process);
  LldbSubject subject(session.get(), process.GetSelectedThread());
  std::function<bool()> lost;
  if (const auto pid = line.number("--pid"))
    lost = [pid = static_cast<pid_t>(*pid)] { return process_has_ended(pid); };
  const std::unique_ptr<Activity> activity = terminal_activity(interrupts, lost);
  CommandContext context{subject, *activity, Host::headless, colour,
                         [&](std::string_view text) { out.write(text); }};
  LldbSystemCalls calls(process.GetTarget().GetDebugger(), *session.get());
  context.calls = &calls;
  Answer answer = run_reading_command(context, line);
  if (answer.failure && activity->lost())
    answer.failure->why = "the process ended while it was read; " + answer.failure->why;
  return answer;
}

int run_here(const CommandLine& line, Interrupts& interrupts) {
  const std::string command(line.command->name);
  auto plugin = std::make_shared<Plugin>();
  QuietDebugger debugger;
  StandardOutput out;
  const auto pid = line.number("--pid");
  const auto before = pid ? local_process(static_cast<pid_t>(*pid)) : std::nullopt;
  auto process = open_target(debugger.get(), line);
  if (!process) return print_answer(out, Answer::failed(not_opened(process.error())), command);
  int status = 0;
  if (command == "script") {
    stop_counting_interrupts();
    status = run_script(debugger.get(), plugin, line);
  } else {
    status = print_answer(out, run_in_terminal(*plugin, *process, line, interrupts, out), command);
  }
  if (pid) detach(*process, before && before->frozen());
  return status;
}

}  // namespace
}  // namespace cgo

extern "C" __attribute__((visibility("default"))) int lldb_cgo_headless(
    int count, const char* const* words, cgo::Interrupts* interrupts) try {
  using namespace cgo;
  if (const auto missing = missing_lldb_functions(); !missing.empty()) {
    std::fprintf(stderr,
                 "lldb-cgo: this LLDB is too old\n  why: it lacks %s\n  try: install lldb-22\n",
                 missing.front().c_str());
    return static_cast<int>(ExitStatus::no_target);
  }
  const Command* command = find_command(count > 0 ? words[0] : "", Host::headless);
  if (command == nullptr) return static_cast<int>(ExitStatus::bad_arguments);
  const auto line = parse_command_line(*command, std::vector<std::string>(words + 1, words + count),
                                       Host::headless);
  if (!line) return static_cast<int>(ExitStatus::bad_arguments);
  const int status = command->needs == Needs::running ? trace_live(*line, *interrupts)
                                                      : run_here(*line, *interrupts);
  std::fflush(nullptr);
  _exit(status);  // LLDB's own teardown takes long and may crash in old releases.
} catch (...) {
  std::fprintf(stderr, "lldb-cgo: an internal error\n");
  return static_cast<int>(cgo::ExitStatus::no_target);
}
