#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/doctor_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

const char* word_for(Health health) {
  switch (health) {
    case Health::good:
      return "ok";
    case Health::note:
      return "note";
    case Health::problem:
      return "problem";
  }
  return "?";
}

const char* colour_for(Health health) {
  return health == Health::good ? "\033[32m" : health == Health::note ? "\033[33m" : "\033[31m";
}

std::string as_text(const std::vector<DoctorFinding>& findings, bool colour) {
  std::string text;
  std::size_t problems = 0;
  for (const DoctorFinding& finding : findings) {
    problems += finding.health == Health::problem;
    std::string word = fmt::format("{:<8}", word_for(finding.health));
    if (colour) word = colour_for(finding.health) + word + "\033[0m";
    text += fmt::format("{}{}: {}\n", word, finding.topic, escaped(finding.text));
    if (!finding.hint.empty()) text += fmt::format("          → {}\n", finding.hint);
  }
  return text + (problems == 0
                     ? "Nothing is missing.\n"
                     : fmt::format("{} problem{} found.\n", problems, problems == 1 ? "" : "s"));
}

std::string as_json(const std::vector<DoctorFinding>& findings) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const DoctorFinding& finding : findings)
    checks.push_back({{"health", word_for(finding.health)},
                      {"topic", finding.topic},
                      {"text", escaped(finding.text)},
                      {"hint", finding.hint.empty() ? nlohmann::ordered_json()
                                                    : nlohmann::ordered_json(finding.hint)}});
  const nlohmann::ordered_json report = {
      {"schema", "lldb-cgo/doctor/1"}, {"version", CGO_VERSION}, {"checks", checks}};
  return report.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

Answer run_doctor(CommandContext& context, const CommandLine& line) {
  const auto stop = context.subject.stop();
  if (!stop) return no_stop(stop.error());
  const std::vector<DoctorFinding> findings = examine(**stop);
  Answer answer;
  answer.out = line.has("--json") ? as_json(findings) : as_text(findings, context.colour);
  return answer;
}

}  // namespace cgo
