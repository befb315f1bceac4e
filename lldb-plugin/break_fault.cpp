// `cgo break exception` and its like: which there are, and what they take.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "lldb-plugin/exception_breakpoint.h"
#include "lldb-plugin/longjmp_breakpoint.h"
#include "lldb-plugin/panic_breakpoint.h"
#include "lldb-plugin/set_breakpoint.h"
#include "lldb-plugin/signal_breakpoint.h"

namespace cgo {
namespace {

struct FaultKind {
  const char* word;
  std::vector<const char*> flags;
  std::shared_ptr<TargetBreakpoint> (*make)(FaultRequest request);
  const char* where;  ///< What it watches, for a warning where no module has it yet.
};

template <class Breakpoint>
std::shared_ptr<TargetBreakpoint> made(FaultRequest request) {
  return std::make_shared<Breakpoint>(std::move(request));
}

const FaultKind kKinds[] = {
    {"exception", {"--uncaught", "--log"}, made<ExceptionBreakpoint>, "the unwinder of C++"},
    {"longjmp", {"--all", "--log"}, made<LongjmpBreakpoint>, "longjmp"},
    {"signal-handler", {"--all", "--log"}, made<SignalBreakpoint>, "sigaction"},
    {"panic", {"--all", "--uncaught", "--log"}, made<PanicBreakpoint>, "Go's runtime"},
};

}  // namespace

std::optional<Answer> break_fault(Plugin& plugin, lldb::SBTarget target, const CommandLine& line) {
  const std::string& word = line.positionals[0];
  const auto* kind = std::ranges::find(kKinds, word, &FaultKind::word);
  if (kind == std::end(kKinds)) return std::nullopt;
  const std::string usage = fmt::format("{}", fmt::join(kind->flags, ", "));
  if (line.positionals.size() > 1)
    return Answer::failed(wrong_breakpoint(
        word + " takes no REGEX", fmt::format("'cgo break {} [{}]'", word, kind->flags[0])));
  for (const auto& [flag, value] : line.flags)
    if (std::ranges::find(kind->flags, flag) == kind->flags.end())
      return Answer::failed(wrong_breakpoint(fmt::format("{} is not for {}", flag, word), usage));
  FaultRequest request{.all = line.has("--all"),
                       .uncaught = line.has("--uncaught"),
                       .log = line.has("--log"),
                       .words = "break " + word};
  for (const auto& [flag, value] : line.flags) request.words += " " + flag;
  const auto set = give_to_lldb(plugin, target, kind->make(std::move(request)));
  if (!set) return Answer::failed(not_taken(set.error()));
  Answer answer;
  answer.out = format_locations(set->lldb);
  if (lldb::SBBreakpoint(set->lldb).GetNumLocations() == 0)
    answer.warnings.push_back(
        fmt::format("{} is in none of the modules there are; those that are loaded later are "
                    "looked at too",
                    kind->where));
  return answer;
}

}  // namespace cgo
