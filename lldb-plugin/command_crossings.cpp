#include <fmt/format.h>

#include <algorithm>

#include "crossings/catalogue.h"
#include "crossings/format_catalogue.h"
#include "lldb-plugin/command_context.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kUsualLimit = 100;

bool has_text(const CrossingPoint& one, std::string_view text) {
  const auto in = [&](std::string_view where) { return where.find(text) != where.npos; };
  return in(one.function) || in(one.go_name) || in(one.package) || in(one.image) ||
         std::ranges::any_of(one.call_sites, [&](const CrossingCallSite& site) {
           return in(site.function) || in(fmt::format("{}:{}", site.file, site.line));
         });
}

std::string counted(const std::vector<CrossingPoint>& shown, std::size_t limit) {
  const auto count = [&](auto wanted) { return std::ranges::count_if(shown, wanted); };
  const auto to_go = count(
      [](const CrossingPoint& one) { return one.direction == CrossingPoint::Direction::c_to_go; });
  const auto with_errno =
      count([](const CrossingPoint& one) { return one.form == CrossingPoint::Form::c2func; });
  std::string out = fmt::format("{} from Go to C ({} of them with errno), {} from C to Go",
                                shown.size() - static_cast<std::size_t>(to_go), with_errno, to_go);
  if (shown.size() > limit) out += fmt::format("; {} shown, --limit N shows more", limit);
  return out + '\n';
}

std::string looked_in(const Catalogue& catalogue) {
  std::string out;
  for (const std::string& name : catalogue.looked_in) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Answer run_crossings(CommandContext& context, const CommandLine& line) {
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  const Program& program = *stop.program;
  if (program.runtimes.all.empty()) return no_go(stop);
  Catalogue catalogue =
      read_catalogue(stop.debuggee->memory(), *program.images, program.runtimes, program.dwarf);
  const std::size_t all = catalogue.crossings.size();
  std::vector<CrossingPoint>& shown = catalogue.crossings;
  if (!line.positionals.empty())
    std::erase_if(shown,
                  [&](const CrossingPoint& one) { return !has_text(one, line.positionals[0]); });
  const bool json = line.has("--json");
  const std::size_t limit =
      line.number("--limit").value_or(json ? shown.size() : std::size_t{kUsualLimit});
  const std::span part = std::span(shown).first(std::min(limit, shown.size()));
  for (CrossingPoint& one : part) locate_c_function(*program.images, program.dwarf, one);
  Answer answer;
  answer.warnings = catalogue.problems;
  finish(answer, stop);
  if (json)
    answer.out =
        fmt::format(
            R"({{"schema":"lldb-cgo/crossings/1","crossings":{},"total":{},"matching":{}{}}})",
            crossings_json(part), all, shown.size(), partial_json(answer)) +
        '\n';
  else if (shown.empty())
    answer.out =
        fmt::format("0 crossings found (looked at {} in {})\n", all, escaped(looked_in(catalogue)));
  else
    answer.out = format_crossings(part) + counted(shown, limit);
  return answer;
}

}  // namespace cgo
