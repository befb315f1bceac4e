// What the headless program runs inside the plugin: a target that needs LLDB.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "lldb-plugin/headless_lldb.h"
#include "lldb-plugin/liblldb_binding.h"
#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/python_module.h"
#include "unwind/format.h"

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

Result<lldb::SBProcess> attach(lldb::SBDebugger debugger, std::uint64_t pid) {
  if (kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH)
    return Error{ErrorCode::not_found, "there is no process " + std::to_string(pid)};
  lldb::SBTarget target = debugger.CreateTarget("");
  lldb::SBError error;
  lldb::SBAttachInfo info(static_cast<lldb::pid_t>(pid));
  lldb::SBProcess process = target.Attach(info, error);
  if (error.Fail() || !process.IsValid())
    return Error{ErrorCode::io_failure, "attaching failed: " + words_of(error)};
  return process;
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
  if (const auto pid = line.number("--pid")) return attach(debugger, *pid);
  return load_core(debugger, line.text("--core").value_or(""), line.text("--exe").value_or(""));
}

Answer run_in_terminal(Plugin& plugin, lldb::SBProcess process, const CommandLine& line,
                       bool colour) {
  const auto session = plugin.sessions.use(process);
  LldbSubject subject(session.get(), process.GetSelectedThread());
  const std::unique_ptr<Activity> activity = terminal_activity();
  CommandContext context{subject, *activity, Host::headless, colour, [](std::string_view text) {
                           std::fwrite(text.data(), 1, text.size(), stdout);
                         }};
  return run_reading_command(context, line);
}

int finish_with(const Answer& answer, std::string_view command) {
  std::fwrite(answer.out.data(), 1, answer.out.size(), stdout);
  std::fflush(stdout);
  for (const std::string& warning : answer.warnings)
    std::fprintf(stderr, "lldb-cgo %s: warning: %s\n", std::string(command).c_str(),
                 escaped(warning).c_str());
  if (answer.failure)
    std::fprintf(stderr, "%s\n",
                 format_failure("lldb-cgo " + std::string(command), *answer.failure).c_str());
  return static_cast<int>(answer.status);
}

int run_here(const CommandLine& line) {
  const std::string command(line.command->name);
  auto plugin = std::make_shared<Plugin>();
  QuietDebugger debugger;
  auto process = open_target(debugger.get(), line);
  if (!process)
    return finish_with(
        Answer::failed(
            {"cannot open the target", process.error().message,
             "check the number or file, and the right to trace it (ptrace_scope, root)"}),
        command);
  int status = 0;
  if (command == "script") {
    status = run_script(debugger.get(), plugin, line);
  } else {
    const bool colour =
        !line.has("--json") && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
    status = finish_with(run_in_terminal(*plugin, *process, line, colour), command);
  }
  if (line.has("--pid")) process->Detach();
  return status;
}

}  // namespace
}  // namespace cgo

extern "C" __attribute__((visibility("default"))) int lldb_cgo_headless(
    int count, const char* const* words) try {
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
  const int status = run_here(*line);
  std::fflush(nullptr);
  _exit(status);  // LLDB's own teardown takes long and may crash in old releases.
} catch (...) {
  std::fprintf(stderr, "lldb-cgo: an internal error\n");
  return static_cast<int>(cgo::ExitStatus::no_target);
}
