#include "lldb-plugin/string_summary.h"

#include <algorithm>
#include <string>

#include "values/quote.h"

namespace cgo {
namespace {

constexpr const char* kCategory = "lldb-cgo";
constexpr std::uint64_t kMostShown = 256;

/// Called by LLDB for each value it shows; false: as if there were no summary.
bool summarize(lldb::SBValue value, lldb::SBTypeSummaryOptions, lldb::SBStream& out) try {
  lldb::SBError error;
  const auto address = value.GetChildMemberWithName("str").GetValueAsUnsigned(error);
  if (error.Fail()) return false;
  const auto length = value.GetChildMemberWithName("len").GetValueAsUnsigned(error);
  if (error.Fail()) return false;
  std::string text(std::min<std::uint64_t>(length, kMostShown), '\0');
  if (!text.empty()) {
    // Of the target: cores lack pages that are read from files.
    lldb::SBTarget target = value.GetTarget();
    const auto read =
        target.ReadMemory(lldb::SBAddress(address, target), text.data(), text.size(), error);
    if (read != text.size()) return false;
  }
  std::string shown = quoted(text);
  if (length > text.size()) shown += "... (" + std::to_string(length) + " bytes)";
  out.Print(shown.c_str());
  return true;
} catch (...) {
  return false;
}

}  // namespace

void show_strings(lldb::SBDebugger debugger) {
  if (debugger.GetCategory(kCategory).IsValid()) return;  // The user may have turned it off.
  lldb::SBTypeCategory category = debugger.CreateCategory(kCategory);
  category.AddTypeSummary(lldb::SBTypeNameSpecifier("$string"),
                          lldb::SBTypeSummary::CreateWithCallback(
                              summarize, lldb::eTypeOptionCascade | lldb::eTypeOptionHideChildren));
  category.SetEnabled(true);
}

}  // namespace cgo
