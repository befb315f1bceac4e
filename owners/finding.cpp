#include "owners/finding.h"

#include <fmt/format.h>

#include "unwind/format.h"

namespace cgo {
namespace {

Result<Stack> stack_of(const AllocationRecords* records, std::uint32_t id) {
  if (records == nullptr || id == 0) return Error{ErrorCode::not_found, "not recorded"};
  return records->stack(id);
}

}  // namespace

std::string counted(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string_view name_of(FindingLevel level) {
  switch (level) {
    case FindingLevel::note:
      return "note";
    case FindingLevel::warning:
      return "warning";
    case FindingLevel::error:
      return "error";
  }
  return "note";
}

std::string format_finding(const Finding& finding, const AllocationRecords* records, bool stacks) {
  std::string out =
      fmt::format("{}: {} [{}]\n", name_of(finding.level), escaped(finding.title), finding.id);
  if (!finding.explanation.empty()) out += "    " + escaped(finding.explanation) + "\n";
  for (const std::string& one : finding.evidence) out += "    " + escaped(one) + "\n";
  for (const Finding::StackOf& one : finding.stacks) {
    const auto stack = stack_of(records, one.stack);
    out += fmt::format("    {}{}\n", escaped(one.what),
                       stack ? " in " + escaped(site_text(*stack)) : ", by a stack not recorded");
    if (stack && stacks) out += format_stack(*stack, {});
  }
  if (!finding.hint.empty()) out += "    try: " + escaped(finding.hint) + "\n";
  return out;
}

std::string finding_json(const Finding& finding, const AllocationRecords* records) {
  std::string evidence, stacks;
  for (const std::string& one : finding.evidence)
    evidence += (evidence.empty() ? "" : ",") + json_string(one);
  for (const Finding::StackOf& one : finding.stacks) {
    const auto stack = stack_of(records, one.stack);
    if (!stack) continue;
    stacks +=
        (stacks.empty() ? "" : ",") + (R"({"what":)" + json_string(one.what)) + R"(,"stack":)";
    append_stack_json(stacks, *stack);
    stacks += "}";
  }
  return fmt::format(
      R"({{"id":"{}","level":"{}","title":{},"explanation":{},"evidence":[{}],"stacks":[{}],"address":{},"hint":{},"go_type":{},"bytes":{},"count":{}}})",
      finding.id, name_of(finding.level), json_string(finding.title),
      json_string(finding.explanation), evidence, stacks,
      finding.address ? "\"" + hex(*finding.address) + "\"" : "null", json_string(finding.hint),
      finding.go_type.empty() ? "null" : json_string(finding.go_type), finding.bytes,
      finding.subjects.size());
}

}  // namespace cgo
