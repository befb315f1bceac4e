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
#include "lldb-plugin/liblldb_binding.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/lldb_system_calls.h"
#include "lldb-plugin/local_process.h"
#include "lldb-plugin/python_module.h"

namespace cgo {
namespace {

/// A debugger whose own output goes nowhere: what is printed is the answer alone.
class QuietDebugger {
 public:
  QuietDebugger() {
    lldb::SBDebugger::Initialize();
    debugger_ = lldb::SBDebugger::Create(false);
    debugger_.SetAsync(false);
    if (std::FILE* nowhere = std::fopen("/dev/null", "r+")) {
      debugger_.SetOutputFileHandle(nowhere, false);
      debugger_.SetErrorFileHandle(nowhere, true);
    }
  }
  lldb::SBDebugger& get() { return debugger_; }

 private:
  lldb::SBDebugger debugger_;
};

std::string words_of(lldb::SBError error) {
  const char* text = error.GetCString();
  return text == nullptr ? "LLDB does not say" : text;
}

/// What the kernel knows of why attaching failed, beside LLDB's own words.
std::string who_traces(pid_t pid) {
  const auto process = local_process(pid);
  if (!process || process->tracer == 0) return "";
  const auto tracer = local_process(process->tracer);
  return "process " + std::to_string(process->tracer) + (tracer ? " (" + tracer->name + ")" : "") +
         " traces it already; ";
}

Result<lldb::SBProcess> attach(lldb::SBDebugger debugger, pid_t pid) {
  const auto before = local_process(pid);
  if (!before) return Error{ErrorCode::not_found, "there is no process " + std::to_string(pid)};
  if (before->ended())
    return Error{ErrorCode::not_found,
                 "process " + std::to_string(pid) + " has ended; its parent has not noticed yet"};
  lldb::SBTarget target = debugger.CreateTarget("");
  lldb::SBError error;
  lldb::SBAttachInfo info(static_cast<lldb::pid_t>(pid));
  lldb::SBProcess process = target.Attach(info, error);
  if (error.Fail() || !process.IsValid())
    return Error{ErrorCode::io_failure,
                 "attaching failed: " +
                     (process_has_ended(pid) ? "the process has ended; " : who_traces(pid)) +
                     words_of(error)};
  return process;
}

/// Lets go of a process, and leaves it as it was found: LLDB's server wakes one that was frozen.
/// Not frozen again when somebody else woke it meanwhile.
void detach(lldb::SBProcess process, bool was_frozen) {
  const auto pid = static_cast<pid_t>(process.GetProcessID());
  const auto now = local_process(pid);
  process.Detach();
  if (was_frozen && now && !now->to_continue) kill(pid, SIGSTOP);
}

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
  if (const auto pid = line.number("--pid")) {
    if (*pid > std::numeric_limits<pid_t>::max() || *pid == 0)
      return Error{ErrorCode::not_found, "there is no process " + std::to_string(*pid)};
    return attach(debugger, static_cast<pid_t>(*pid));
  }
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
  if (!process)
    return print_answer(
        out,
        Answer::failed(
            {"cannot open the target", process.error().message,
             "check the number or file, and the right to trace it (ptrace_scope, root)"}),
        command);
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
  const int status = run_here(*line, *interrupts);
  std::fflush(nullptr);
  _exit(status);  // LLDB's own teardown takes long and may crash in old releases.
} catch (...) {
  std::fprintf(stderr, "lldb-cgo: an internal error\n");
  return static_cast<int>(cgo::ExitStatus::no_target);
}
