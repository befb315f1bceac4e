#include "lldb-plugin/command_context.h"
#include "lldb-plugin/scheduler_report.h"

namespace cgo {

Answer run_sched(CommandContext& context, const CommandLine& line) {
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  if (stop.program->runtimes.all.empty()) return no_go(stop);
  const SchedulerReport report = make_scheduler_report(stop, context.activity);
  Answer answer;
  answer.warnings = report.problems;
  finish(answer, stop);
  if (line.has("--json"))
    answer.out = R"({"schema":"lldb-cgo/sched/1",)" + scheduler_json(report, stop) +
                 partial_json(answer) + "}\n";
  else
    answer.out = scheduler_text(report, stop, context.colour);
  return answer;
}

}  // namespace cgo
