#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/activity.h"
#include "lldb-plugin/command_line.h"
#include "lldb-plugin/subject.h"
#include "lldb-plugin/system_calls.h"
#include "lldb-plugin/value_naming.h"
#include "values/value.h"

namespace cgo {

/// The exit statuses of the headless program.
enum class ExitStatus : int {
  done = 0,
  findings = 1,
  bad_arguments = 2,
  no_target = 3,
  partial = 4
};

/// Why a command gave no answer, in the three parts every error here has.
struct Failure {
  std::string what;  ///< What failed and where.
  std::string why;   ///< The reason.
  std::string hint;  ///< What to try; may be empty.
  ExitStatus status = ExitStatus::no_target;
};

/// What a command gives back: its output, or why there is none.
struct Answer {
  std::string out;                    ///< Text or one line of JSON; ends with a newline.
  std::vector<std::string> warnings;  ///< What is missing from `out`, a sentence each.
  std::optional<Failure> failure;
  ExitStatus status = ExitStatus::done;

  static Answer failed(Failure failure) {
    Answer answer;
    answer.status = failure.status;
    answer.failure = std::move(failure);
    return answer;
  }
};

/// "cgo bt: no goroutine 9\n  why: …\n  try: …" without a newline at the end; safe to print.
std::string format_failure(std::string_view command, const Failure& failure);

/// What a command may use, whoever runs it. Commands that only read need nothing else, so they run
/// without LLDB too.
struct CommandContext {
  Subject& subject;
  Activity& activity;
  Host host = Host::headless;
  bool colour = false;
  /// Where a long answer may be written while it is made; empty to get it as a whole in
  /// Answer::out.
  std::function<void(std::string_view)> write;
  ReadLimits limits;              ///< Of values, where the command line gives none.
  SystemCalls* calls = nullptr;   ///< Null where the debuggee can make none.
  ValueNaming* naming = nullptr;  ///< Null where no debugger outlives the command.
};

Answer run_bt(CommandContext& context, const CommandLine& line);
Answer run_goroutines(CommandContext& context, const CommandLine& line);
Answer run_doctor(CommandContext& context, const CommandLine& line);
Answer run_locals(CommandContext& context, const CommandLine& line);
Answer run_args(CommandContext& context, const CommandLine& line);
Answer run_print(CommandContext& context, const CommandLine& line);
Answer run_types(CommandContext& context, const CommandLine& line);
Answer run_crossings(CommandContext& context, const CommandLine& line);
Answer run_sched(CommandContext& context, const CommandLine& line);
Answer run_heap(CommandContext& context, const CommandLine& line);
Answer run_signals(CommandContext& context, const CommandLine& line);

/// Runs a command that reads. Never throws.
Answer run_reading_command(CommandContext& context, const CommandLine& line);

/// What a command gives back when its subject has no stop.
Answer no_stop(const Error& error);
/// What a command gives back that needs Go where there is none: says why none was found.
Answer no_go(const Stop& stop);
/// "12 of 60,000 stacks", with why the rest is missing: the process ended, or Ctrl-C.
std::string cut_short(Activity& activity, std::size_t done, std::size_t all, std::string_view what);
/// The last key of an answer as JSON, with a comma before it: "partial" with all that is missing.
/// Nothing for a whole answer.
std::string partial_json(const Answer& answer);
/// Adds what the stop lacks to the warnings of an answer that has some, and sets its status.
void finish(Answer& answer, const Stop& stop);

}  // namespace cgo
