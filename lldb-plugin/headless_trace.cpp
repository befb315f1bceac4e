#include "lldb-plugin/headless_trace.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/headless_lldb.h"
#include "lldb-plugin/leftover_breakpoints.h"
#include "lldb-plugin/local_process.h"
#include "lldb-plugin/name_pattern.h"
#include "lldb-plugin/started_program.h"
#include "lldb-plugin/supervised_run.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr int kDone = static_cast<int>(ExitStatus::done);
constexpr int kNoTarget = static_cast<int>(ExitStatus::no_target);
constexpr int kPartial = static_cast<int>(ExitStatus::partial);

int fail(const Failure& failure) {
  std::fprintf(stderr, "%s\n", format_failure("lldb-cgo trace", failure).c_str());
  return static_cast<int>(failure.status);
}

void note(const std::string& text) {
  std::fprintf(stderr, "lldb-cgo trace: %s\n", escaped(text).c_str());
}

std::optional<Failure> wrong_words(const CommandLine& line) {
  const auto wrong = [](std::string why, std::string hint) {
    return Failure{"nothing was traced", std::move(why), std::move(hint),
                   ExitStatus::bad_arguments};
  };
  const std::string both = "--pid N, or -- PROGRAM ARGS… behind all else";
  if (line.has("--pid") && !line.program.empty())
    return wrong("--pid and a program were given", both);
  if (!line.has("--pid") && line.program.empty()) return wrong("there is nothing to trace", both);
  if (const auto time = line.text("--for"); time && parse_duration_ns(*time).value_or(0) <= 0)
    return wrong("'" + *time + "' is no duration", "--for 10s");
  if (!line.has("--stats") && line.has("--callers"))
    return wrong("--callers is for statistics", "--stats --callers");
  if (!line.positionals.empty())
    if (const auto name = NamePattern::compile(line.positionals[0]); !name)
      return wrong(
          "'" + line.positionals[0] + "' is no regular expression: " + name.error().message,
          "a name, or '^name$'");
  return std::nullopt;
}

/// Says how the program ended; the exit status that makes of ours.
int end_of(const StartedProgram& program, int status) {
  const int how = program.wait();
  if (WIFSIGNALED(how)) {
    note(std::string("the program was ended by a signal: ") + strsignal(WTERMSIG(how)) +
         (WCOREDUMP(how) ? " (core dumped)" : ""));
    return std::max(status, kPartial);
  }
  note("the program exited with status " + std::to_string(WEXITSTATUS(how)));
  return status;
}

/// Waits for what was started: nothing of it is to be left behind without a parent.
int wait_for(const StartedProgram& program, int status, bool began) {
  const auto now = local_process(program.pid());
  if (!began && now && now->frozen()) {  // It has not run an instruction.
    program.kill();
    program.wait();
    return status;
  }
  pass_signals_to(program.pid());
  return end_of(program, status);
}

/// What becomes of a process whose debugger went without taking leave.
void mend(pid_t pid, bool was_frozen) {
  if (process_has_ended(pid)) return;
  if (const auto mended = mend_after_debugger(pid, was_frozen); !mended)
    note("the process may have been left with breakpoints in it: " + mended.error().message);
}

}  // namespace

int trace_headless(const CommandLine& line, Interrupts& interrupts) {
  if (const auto wrong = wrong_words(line)) return fail(*wrong);
  CommandLine inner = line;
  std::optional<StartedProgram> program;
  if (!line.program.empty()) {
    auto started = StartedProgram::start(line.program);
    if (!started)
      return fail(
          {"cannot start the program", started.error().message, "give a program that can be run"});
    program = *started;
    inner.flags["--pid"] = std::to_string(program->pid());
  }
  const auto pid = static_cast<pid_t>(inner.number("--pid").value_or(0));
  const auto before = local_process(pid);
  const bool was_frozen = !program && before && before->frozen();
  const WorkEnd end =
      run_supervised([&] { return run_in_lldb(inner, interrupts); }, {.with_care = true});
  pass_signals_to(0);
  const bool crashed = end.signal != 0;
  if (crashed) {
    fail({"LLDB ended", std::string("by a signal: ") + strsignal(end.signal),
          "try again; 'lldb-cgo doctor' says which LLDB is used"});
    mend(pid, was_frozen);
  } else if (end.status == kPartial) {
    mend(pid, was_frozen);  // It may have lost the process.
  }
  int status = crashed ? kNoTarget : end.status;
  if (program)
    status = wait_for(*program, status, crashed || status == kDone || status == kPartial);
  return status;
}

}  // namespace cgo
