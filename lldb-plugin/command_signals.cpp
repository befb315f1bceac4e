#include "lldb-plugin/command_context.h"
#include "lldb-plugin/signal_report.h"

namespace cgo {
namespace {

Answer cannot_call(std::string why) {
  return Answer::failed({"the kernel cannot be asked here", std::move(why),
                         "without --call what is known from memory and /proc is shown"});
}

}  // namespace

Answer run_signals(CommandContext& context, const CommandLine& line) {
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  SystemCalls* calls = nullptr;
  if (line.has("--call")) {
    if (stop.debuggee->is_core())
      return cannot_call("a core has no process that could make the calls");
    if (context.calls == nullptr)
      return cannot_call("calls need a live process of LLDB's on this machine");
    calls = context.calls;
  }
  const auto report = make_signal_report(stop, calls);
  if (!report) return cannot_call(report.error().message);
  Answer answer;
  answer.warnings = report->problems;
  finish(answer, stop);
  if (line.has("--json"))
    answer.out =
        R"({"schema":"lldb-cgo/signals/1",)" + signals_json(*report) + partial_json(answer) + "}\n";
  else
    answer.out = signals_text(*report);
  return answer;
}

}  // namespace cgo
