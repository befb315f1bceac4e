#include <fmt/format.h>

#include <algorithm>
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

std::size_t count(const std::vector<DoctorFinding>& findings, Health health) {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const DoctorFinding& finding) { return finding.health == health; }));
}

std::string summary(std::size_t problems, std::size_t notes) {
  if (problems + notes == 0) return "Nothing is missing.\n";
  const auto counted = [](std::size_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  if (problems == 0)
    return "No problem found; " + counted(notes, "note") + " on what is missing.\n";
  return counted(problems, "problem") + " found" +
         (notes == 0 ? "" : ", and " + counted(notes, "note")) + ".\n";
}

std::string as_text(const std::vector<DoctorFinding>& findings, bool colour) {
  std::string text;
  for (const DoctorFinding& finding : findings) {
    std::string word = fmt::format("{:<8}", word_for(finding.health));
    if (colour) word = colour_for(finding.health) + word + "\033[0m";
    text += fmt::format("{}{}: {}\n", word, finding.topic, escaped(finding.text));
    if (!finding.hint.empty()) text += fmt::format("          → {}\n", finding.hint);
  }
  return text + summary(count(findings, Health::problem), count(findings, Health::note));
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
  if (count(findings, Health::problem) > 0) answer.status = ExitStatus::partial;
  answer.out = line.has("--json") ? as_json(findings) : as_text(findings, context.colour);
  return answer;
}

}  // namespace cgo
