// `cgo break leak`, `gc-visibility` and `dangling`: what they take.
#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/memory_breakpoint.h"
#include "lldb-plugin/set_breakpoint.h"

namespace cgo {
namespace {

using Kind = MemoryRequest::Kind;

struct MemoryKind {
  const char* word;
  Kind kind;
};
constexpr MemoryKind kKinds[] = {
    {"leak", Kind::leak}, {"gc-visibility", Kind::gc_visibility}, {"dangling", Kind::dangling}};
constexpr const char* kFlags[] = {"--min-bytes", "--site", "--type", "--every", "--log", "--stack"};

std::optional<Failure> take_pattern(const CommandLine& line, const char* flag,
                                    std::optional<NamePattern>& out) {
  const auto text = line.text(flag);
  if (!text) return std::nullopt;
  auto compiled = NamePattern::compile(*text);
  if (!compiled)
    return wrong_breakpoint(
        fmt::format("{} '{}' is no regular expression: {}", flag, *text, compiled.error().message),
        "a name, or '^name$'; quote what the prompt would take apart");
  out = *std::move(compiled);
  return std::nullopt;
}

std::optional<Failure> take_options(const CommandLine& line, MemoryRequest& request) {
  for (const auto& [flag, value] : line.flags) {
    if (std::ranges::find(kFlags, flag) == std::end(kFlags))
      return wrong_breakpoint(fmt::format("{} is not for {}", flag, line.positionals[0]),
                              "--min-bytes, --site, --type, --every, --log, --stack");
    request.words += " " + flag + (value.empty() ? "" : " " + value);
  }
  request.log = line.has("--log");
  request.stack = line.has("--stack");
  request.min_bytes = line.number("--min-bytes").value_or(0);
  request.every = line.number("--every").value_or(1);
  if (request.every == 0)
    return wrong_breakpoint("--every counts from 1", "--every 1 is every collection");
  if (auto failure = take_pattern(line, "--site", request.site)) return failure;
  return take_pattern(line, "--type", request.go_type);
}

}  // namespace

std::optional<Answer> break_memory(Plugin& plugin, lldb::SBTarget target, const CommandLine& line) {
  const std::string& word = line.positionals[0];
  const auto* kind = std::ranges::find(kKinds, word, &MemoryKind::word);
  if (kind == std::end(kKinds)) return std::nullopt;
  if (line.positionals.size() > 1)
    return Answer::failed(
        wrong_breakpoint(word + " takes no REGEX",
                         fmt::format("'cgo break {} --site REGEX' or --type REGEX", word)));
  MemoryRequest request{.kind = kind->kind, .words = "break " + word};
  if (auto failure = take_options(line, request)) return Answer::failed(*std::move(failure));
  const auto set =
      give_to_lldb(plugin, target, std::make_shared<MemoryBreakpoint>(std::move(request)));
  if (!set) return Answer::failed(not_taken(set.error()));
  Answer answer;
  answer.out = format_locations(set->lldb);
  if (lldb::SBBreakpoint(set->lldb).GetNumLocations() == 0)
    answer.warnings.push_back(
        "Go's runtime is in none of the modules there are; those that are loaded later are looked "
        "at too");
  return answer;
}

}  // namespace cgo
