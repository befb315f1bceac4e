#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lldb/API/LLDB.h>

#include "lldb-plugin/activity.h"
#include "lldb-plugin/command_line.h"
#include "lldb-plugin/session.h"
#include "lldb-plugin/settings.h"

namespace cgo {

/// The exit statuses of the headless program.
enum class ExitStatus : int { done = 0, findings = 1, bad_arguments = 2, no_target = 3, partial = 4 };

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

/// "cgo bt: no goroutine 9\n  why: …\n  try: …" without a newline at the end.
std::string format_failure(std::string_view command, const Failure& failure);

/// What a command may use, whoever runs it.
struct CommandContext {
  lldb::SBDebugger debugger;
  lldb::SBProcess process;
  lldb::SBThread thread;  ///< The selected one.
  Sessions& sessions;
  Settings& settings;
  Activity& activity;
  Host host;
  bool colour = false;
};

Answer run_bt(CommandContext& context, const CommandLine& line);
Answer run_goroutines(CommandContext& context, const CommandLine& line);
Answer run_frame(CommandContext& context, const CommandLine& line);
Answer run_up(CommandContext& context, const CommandLine& line);
Answer run_down(CommandContext& context, const CommandLine& line);
Answer run_doctor(CommandContext& context, const CommandLine& line);
Answer run_script(CommandContext& context, const CommandLine& line);
Answer run_set(CommandContext& context, const CommandLine& line);
Answer run_help(CommandContext& context, const CommandLine& line);
Answer run_version(CommandContext& context, const CommandLine& line);

/// Runs a parsed command: checks that there is a process if it needs one, holds the locks it needs.
/// Never throws.
Answer run_command(CommandContext& context, const CommandLine& line);

}  // namespace cgo
