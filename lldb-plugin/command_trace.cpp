#include <fmt/format.h>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/set_breakpoint.h"

namespace cgo {
namespace {

constexpr std::size_t kUsualLimit = 100;

Failure wrong(std::string why, std::string hint) {
  return {"nothing was done", std::move(why), std::move(hint), ExitStatus::bad_arguments};
}

/// "1,204 crossings, 3 not kept; the trace runs".
std::string state_text(const RunningTrace& trace) {
  std::string out = fmt::format("{} crossings came back", trace.log->count());
  if (const std::uint64_t events = trace.log->library_events(); events != 0)
    out += fmt::format(", {} calls of dlopen, dlsym and their like", events);
  if (trace.log->dropped() != 0)
    out += fmt::format("; of the first {} only the counts are kept", trace.log->dropped());
  return out + (trace.runs ? "; the trace runs\n" : "; the trace has ended\n");
}

Answer start(Plugin& plugin, lldb::SBTarget target, const CommandLine& line) {
  if (!target.IsValid())
    return Answer::failed({"no trace was started", "no target is selected",
                           "'target create PROGRAM', 'process attach'", ExitStatus::no_target});
  if (plugin.trace.runs && plugin.trace.breakpoint.IsValid())
    return Answer::failed(wrong("a trace runs already", "'cgo trace stop' ends it"));
  CrossingRequest request;
  request.query.when = CrossingQuery::When::returns;
  request.words = "trace";
  if (line.positionals.size() > 1) {
    auto name = NamePattern::compile(line.positionals[1]);
    if (!name)
      return Answer::failed(
          wrong("'" + line.positionals[1] + "' is no regular expression: " + name.error().message,
                "a name, or '^name$'"));
    request.query.name = *std::move(name);
    request.words += " " + line.positionals[1];
  }
  RunningTrace trace{.log = std::make_shared<TraceLog>()};
  request.trace = trace.log;
  auto set = set_crossing_breakpoint(plugin, target, std::move(request));
  if (!set)
    return Answer::failed({"no trace was started", set.error().message,
                           "'script 1' shows whether LLDB has Python", ExitStatus::no_target});
  trace.crossings = set->crossings;
  trace.breakpoint = set->lldb;
  trace.runs = true;
  Answer answer;
  if (traces_libraries(line, line.positionals.size() == 1)) {
    if (const auto libraries = set_library_breakpoint(plugin, target, trace.log))
      trace.libraries = libraries->lldb;
    else
      answer.warnings.push_back("dlopen and its like are not logged: " + libraries.error().message);
  }
  plugin.trace = std::move(trace);
  const std::size_t crossings = set->crossings->matching();
  answer.out = fmt::format("tracing {} crossing{} (breakpoint {})\n", crossings,
                           crossings == 1 ? "" : "s", set->lldb.GetID());
  for (const std::string& problem : set->crossings->problems()) answer.warnings.push_back(problem);
  if (crossings == 0)
    answer.warnings.push_back(
        "no crossing fits in the modules there are; those that are loaded later are looked at too");
  return answer;
}

Answer stop(Plugin& plugin) {
  RunningTrace& trace = plugin.trace;
  if (!trace.runs) return Answer::failed(wrong("no trace runs", "'cgo trace start [REGEX]'"));
  if (trace.breakpoint.IsValid())
    trace.breakpoint.GetTarget().BreakpointDelete(trace.breakpoint.GetID());
  if (trace.libraries && trace.libraries->IsValid())
    trace.libraries->GetTarget().BreakpointDelete(trace.libraries->GetID());
  trace.runs = false;
  Answer answer;
  answer.out = state_text(trace);
  return answer;
}

Answer show(const RunningTrace& trace, const CommandLine& line) {
  Answer answer;
  for (const std::string& one :
       trace.log->last(line.number("--limit").value_or(std::size_t{kUsualLimit})))
    answer.out += one + '\n';
  if (answer.out.empty()) answer.out = "0 crossings came back since the trace began\n";
  return answer;
}

Answer statistics(const RunningTrace& trace, const CommandLine& line) {
  const auto rows = trace.log->rows();
  const auto open = trace.crossings->open();
  Answer answer;
  if (line.has("--json"))
    answer.out = statistics_json(rows, open, trace.log->dropped());
  else
    answer.out = format_statistics(rows, line.has("--callers"), open) + state_text(trace);
  return answer;
}

}  // namespace

Answer run_trace(Plugin& plugin, lldb::SBDebugger debugger, const CommandLine& line) {
  const std::string& verb = line.positionals[0];
  if (verb != "start" && line.positionals.size() > 1)
    return Answer::failed(wrong("'" + verb + "' takes no REGEX", "'cgo trace start REGEX'"));
  if (verb == "start") return start(plugin, debugger.GetSelectedTarget(), line);
  if (verb == "stop") return stop(plugin);
  if (verb != "show" && verb != "stats")
    return Answer::failed(wrong("'" + verb + "' is nothing to do", "start, stop, show or stats"));
  if (!plugin.trace.log)
    return Answer::failed(wrong("no trace was started", "'cgo trace start [REGEX]'"));
  return verb == "show" ? show(plugin.trace, line) : statistics(plugin.trace, line);
}

}  // namespace cgo
