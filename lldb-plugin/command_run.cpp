#include <fmt/format.h>

#include <exception>

#include "lldb-plugin/command_context.h"
#include "unwind/format.h"

namespace cgo {
namespace {

struct NamedRunner {
  std::string_view name;
  Answer (*run)(CommandContext&, const CommandLine&);
};

constexpr NamedRunner kRunners[] = {{"bt", run_bt},         {"goroutines", run_goroutines},
                                    {"doctor", run_doctor}, {"locals", run_locals},
                                    {"args", run_args},     {"print", run_print},
                                    {"types", run_types},   {"crossings", run_crossings},
                                    {"sched", run_sched},   {"signals", run_signals},
                                    {"heap", run_heap}};

std::string with_commas(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

std::string format_failure(std::string_view command, const Failure& failure) {
  std::string text = std::string(command) + ": " + escaped(failure.what);
  if (!failure.why.empty()) text += "\n  why: " + escaped(failure.why);
  if (!failure.hint.empty()) text += "\n  try: " + escaped(failure.hint);
  return text;
}

Answer no_stop(const Error& error) {
  return Answer::failed({"cannot read the process", error.message,
                         "stop it first ('process interrupt'), or run it again if it has ended",
                         ExitStatus::no_target});
}

Answer no_go(const Stop& stop) {
  Failure failure{"no Go runtime was found", "none of the images of the target holds one",
                  "'cgo doctor' says what was looked at", ExitStatus::no_target};
  if (!stop.program->runtimes.problems.empty())
    failure.why = stop.program->runtimes.problems.front().message;
  for (const std::string& lack : stop.provenance.lacks) failure.why += "; " + lack;
  return Answer::failed(std::move(failure));
}

void finish(Answer& answer, const Stop& stop) {
  // Why Go is not shown matters even where a stack of C is complete.
  const bool go_was_lost = stop.program->runtimes.all.empty() && !stop.provenance.lacks.empty();
  for (const Error& problem : stop.program->runtimes.problems)
    answer.warnings.push_back(problem.message);
  if (answer.warnings.empty() && answer.status == ExitStatus::done && !go_was_lost) return;
  answer.warnings.insert(answer.warnings.end(), stop.provenance.lacks.begin(),
                         stop.provenance.lacks.end());
  answer.status = ExitStatus::partial;
}

std::string cut_short(Activity& activity, std::size_t done, std::size_t all,
                      std::string_view what) {
  return fmt::format("{}: {} of {} {}",
                     activity.lost() ? "the process ended while it was read" : "interrupted",
                     with_commas(done), with_commas(all), what);
}

std::string partial_json(const Answer& answer) {
  if (answer.status != ExitStatus::partial) return "";
  std::string all;
  for (const std::string& warning : answer.warnings) all += (all.empty() ? "" : "; ") + warning;
  return ",\"partial\":" + json_string(all.empty() ? "the stack is not complete" : all);
}

Answer run_reading_command(CommandContext& context, const CommandLine& line) try {
  for (const NamedRunner& runner : kRunners)
    if (runner.name == line.command->name) return runner.run(context, line);
  return Answer::failed({"this command cannot run here", "it has no implementation", ""});
} catch (const std::exception& error) {
  return Answer::failed({"an internal error", error.what(), "please report it"});
}

}  // namespace cgo
