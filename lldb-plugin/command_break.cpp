#include <fmt/format.h>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/newer_api.h"
#include "lldb-plugin/set_breakpoint.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using When = CrossingQuery::When;

std::optional<When> when_of(const std::string& word) {
  if (word == "enter") return When::enter;
  if (word == "return") return When::returns;
  if (word == "callback") return When::callback;
  return std::nullopt;
}

std::optional<CrossingQuery::CallSite> call_site_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return std::nullopt;
  const auto line = parse_number(std::string_view(text).substr(colon + 1));
  if (!line || *line == 0 || *line > UINT32_MAX) return std::nullopt;
  return CrossingQuery::CallSite{text.substr(0, colon), static_cast<std::uint32_t>(*line)};
}

/// The request that a command line makes, or what is wrong with it.
struct Asked {
  std::optional<CrossingRequest> request;
  std::optional<Failure> failure;
};

std::optional<Failure> take_pattern(const std::string& pattern, CrossingQuery& query) {
  auto compiled = NamePattern::compile(pattern);
  if (!compiled)
    return wrong_breakpoint(
        fmt::format("'{}' is no regular expression: {}", pattern, compiled.error().message),
        "a name, or '^name$'; quote what the prompt would take apart");
  query.name = *std::move(compiled);
  return std::nullopt;
}

std::optional<Failure> take_options(const CommandLine& line, CrossingRequest& request) {
  request.only = line.number("--hits");
  request.every = line.number("--every");
  request.log = line.has("--log");
  request.stack = line.has("--stack");
  request.with_errno = line.has("--errno");
  request.with_python = line.has("--python");
  request.moved = line.has("--moved");
  for (const char* flag : {"--min-bytes", "--site", "--type"})
    if (line.has(flag))
      return wrong_breakpoint(fmt::format("{} is for leak, gc-visibility and dangling", flag),
                              "'cgo help break' has what goes with what");
  if (request.moved && request.query.when == When::callback)
    return wrong_breakpoint("--moved is for calls from Go into C", "'cgo break enter' with it");
  if (request.every == 0 || request.only == 0)
    return wrong_breakpoint("--hits and --every count from 1", "--every 1 is every one");
  if (const auto text = line.text("--slower")) {
    request.slower_ns = parse_duration_ns(*text);
    if (!request.slower_ns)
      return wrong_breakpoint("'" + *text + "' is no duration", "--slower 10ms");
  }
  if (const auto text = line.text("--at")) {
    request.query.at = call_site_of(*text);
    if (!request.query.at)
      return wrong_breakpoint("'" + *text + "' is no place in Go", "--at file.go:42");
    if (request.query.when == When::callback)
      return wrong_breakpoint("--at is a line of Go that calls C",
                              "'cgo break enter' or 'return' with --at");
  }
  const bool needs_return = request.slower_ns || request.with_errno || request.with_python;
  if (needs_return && request.query.when != When::returns)
    return wrong_breakpoint("--slower, --errno and --python are known at the return only",
                            "'cgo break return'");
  if (const auto text = line.text("--if")) {
    std::optional<ExpressionError> error;
    request.condition = CrossingCondition::parse(*text, error);
    if (error)
      return wrong_breakpoint(
          fmt::format("--if: {}, at byte {} of '{}'", error->error.message, error->at.begin, *text),
          "'cgo help break' has the names");
    for (const char* name : {"result", "errno", "duration_ns"})
      if (request.query.when != When::returns && request.condition->uses(name))
        return wrong_breakpoint(fmt::format("--if: {} is known at the return only", name),
                                "'cgo break return'");
  }
  return std::nullopt;
}

Asked asked_for(const CommandLine& line) {
  CrossingRequest request;
  const auto when = when_of(line.positionals[0]);
  if (!when)
    return {std::nullopt, wrong_breakpoint("'" + line.positionals[0] + "' is nothing to stop at",
                                           "'cgo help break' has what there is")};
  request.query.when = *when;
  if (line.positionals.size() < 2 && !line.has("--at"))
    return {std::nullopt,
            wrong_breakpoint("no name was given", "'cgo break " + line.positionals[0] +
                                                      " REGEX'; 'cgo crossings' lists them")};
  if (line.positionals.size() > 1)
    if (auto failure = take_pattern(line.positionals[1], request.query))
      return {std::nullopt, std::move(failure)};
  if (auto failure = take_options(line, request)) return {std::nullopt, std::move(failure)};
  request.words = line.command->name;
  for (const std::string& word : line.positionals) request.words += " " + word;
  for (const auto& [flag, value] : line.flags)
    request.words += " " + flag + (value.empty() ? "" : " " + value);
  return {std::move(request), std::nullopt};
}

Answer list(Plugin& plugin, lldb::SBTarget target) {
  Answer answer;
  for (std::uint32_t i = 0; i < target.GetNumBreakpoints(); ++i) {
    lldb::SBBreakpoint one = target.GetBreakpointAtIndex(i);
    const auto known = plugin.breakpoints.of_lldb(target, one.GetID());
    if (known) answer.out += fmt::format("{}: {}\n", one.GetID(), known->summary());
  }
  if (answer.out.empty()) answer.out = "0 breakpoints on crossings found in this target\n";
  return answer;
}

}  // namespace

Result<SetBreakpoint> set_crossing_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                              CrossingRequest request) {
  auto made = std::make_shared<CrossingBreakpoint>(std::move(request), plugin.crossings);
  auto set = give_to_lldb(plugin, target, made);
  if (set) set->crossings = std::move(made);
  return set;
}

Result<SetBreakpoint> set_telling_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                             const std::vector<std::string>& words) {
  if (!NewerApi::asks_resolvers_at_hits())
    return Error{ErrorCode::unsupported, "scripts can decide in LLDB 22 and newer only"};
  const Command* command = find_command("break", Host::lldb);
  const auto line = parse_command_line(*command, words, Host::lldb);
  if (!line) return line.error();
  Asked asked = asked_for(*line);
  if (asked.failure) return Error{ErrorCode::malformed_data, asked.failure->why};
  asked.request->tells = true;
  return set_crossing_breakpoint(plugin, target, *std::move(asked.request));
}

Answer run_break(Plugin& plugin, lldb::SBDebugger debugger, const CommandLine& line) {
  lldb::SBTarget target = debugger.GetSelectedTarget();
  if (!target.IsValid())
    return Answer::failed({"no breakpoint was set", "no target is selected",
                           "'target create PROGRAM', 'process attach'", ExitStatus::no_target});
  if (line.positionals.empty()) return list(plugin, target);
  if (auto answer = break_fault(plugin, target, line)) return *std::move(answer);
  if (auto answer = break_memory(plugin, target, line)) return *std::move(answer);
  Asked asked = asked_for(line);
  if (asked.failure) return Answer::failed(*std::move(asked.failure));
  const auto set = set_crossing_breakpoint(plugin, target, *std::move(asked.request));
  if (!set) return Answer::failed(not_taken(set.error()));
  lldb::SBBreakpoint breakpoint = set->lldb;
  const auto made = set->crossings;
  Answer answer;
  const std::size_t crossings = made->matching();
  answer.out = fmt::format("Breakpoint {}: {} {}, {} location{}\n", breakpoint.GetID(), crossings,
                           crossings == 1 ? "crossing" : "crossings", breakpoint.GetNumLocations(),
                           breakpoint.GetNumLocations() == 1 ? "" : "s");
  for (const std::string& problem : made->problems()) answer.warnings.push_back(problem);
  if (crossings == 0)
    answer.warnings.push_back(
        "no crossing fits in the modules there are; those that are loaded later are looked at too "
        "('cgo crossings' lists them)");
  return answer;
}

}  // namespace cgo
