#include "lldb-plugin/lldb_value_naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lldb-plugin/newer_api.h"
#include "lldb-plugin/string_summary.h"

namespace cgo {
namespace {

constexpr std::uint32_t kNoResult = 0x1001;  // What LLDB calls an expression without a value.

bool worked(lldb::SBValue value) {
  return value.GetError().Success() || value.GetError().GetError() == kNoResult;
}

Error failed(lldb::SBValue value, const char* what) {
  lldb::SBError error = value.GetError();  // The text belongs to it.
  const char* why = error.GetCString();
  return {ErrorCode::unsupported, fmt::format("LLDB {}: {}", what, why == nullptr ? "?" : why)};
}

std::string text_of(const CDefinition& one) { return one.forward + one.text; }

/// Which definitions LLDB has already, with all that they mention.
std::set<std::string> known(const CLayout& layout, const GivenNames::OfTarget& names) {
  std::set<std::string> out;
  for (const CDefinition& one : layout.definitions) {
    const auto found = names.definitions.find(one.name);
    if (found != names.definitions.end() && found->second == text_of(one)) out.insert(one.name);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const CDefinition& one : layout.definitions)
      if (out.contains(one.name) && !std::all_of(one.uses.begin(), one.uses.end(),
                                                 [&](const auto& u) { return out.contains(u); }))
        changed = out.erase(one.name) != 0;
  }
  return out;
}

/// New names for definitions whose own are used for something else in this target.
CNames other_names(const CLayout& layout, const GivenNames::OfTarget& names) {
  const std::set<std::string> same = known(layout, names);
  std::set<std::string> taken;
  for (const CDefinition& one : layout.definitions) taken.insert(one.name);
  CNames out;
  for (const CDefinition& one : layout.definitions) {
    if (same.contains(one.name) || !names.definitions.contains(one.name)) continue;
    std::string name;
    for (int number = 2; name.empty() || names.definitions.contains(name) || taken.contains(name);
         ++number)
      name = fmt::format("{}_{}", one.name, number);
    taken.insert(name);
    out.emplace(one.name, name);
  }
  return out;
}

std::string whole_text(const CLayout& layout) {
  std::string out;
  for (const CDefinition& one : layout.definitions) out += text_of(one) + "\n";
  return out;
}

bool is_identifier(const std::string& name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

}  // namespace

GivenNames::OfTarget& GivenNames::of(lldb::SBTarget target) {
  const std::uint64_t number = NewerApi::target_number(target);
  // Before LLDB 22 targets have no numbers: what of another one is not known by name here is found
  // out when it is used.
  return by_target_[number];
}

lldb::SBValue LldbValueNaming::evaluate(const std::string& text) {
  lldb::SBExpressionOptions options;
  options.SetLanguage(lldb::eLanguageTypeC_plus_plus);  // LLDB reads C as C++ in any case.
  options.SetAllowJIT(false);
  options.SetIgnoreBreakpoints(true);
  options.SetTryAllThreads(false);
  options.SetAutoApplyFixIts(false);
  options.SetFetchDynamicValue(lldb::eNoDynamicValues);
  options.SetSuppressPersistentResult(true);
  // Frame 0 is LLDB's own: LLDB 22 crashes where it looks for registers in a frame of a provider.
  lldb::SBFrame frame = process_.GetSelectedThread().GetFrameAtIndex(0);
  if (frame.IsValid()) return frame.EvaluateExpression(text.c_str(), options);
  return process_.GetTarget().EvaluateExpression(text.c_str(), options);
}

Result<void> LldbValueNaming::check_name(const std::string& name,
                                         const GivenNames::OfTarget& names) {
  const std::string bare = name.substr(1);
  if (!is_identifier(bare))
    return Error{
        ErrorCode::malformed_data,
        fmt::format("'{}' is no name: letters of ASCII, digits and '_', no digit first", bare)};
  if (bare.starts_with("__lldb"))
    return Error{ErrorCode::malformed_data, "LLDB keeps names that begin with __lldb for itself"};
  lldb::SBFrame frame = process_.GetSelectedThread().GetFrameAtIndex(0);
  static constexpr const char* kGeneric[] = {"pc", "sp", "fp", "ra", "flags"};
  const bool generic =
      std::find(std::begin(kGeneric), std::end(kGeneric), bare) != std::end(kGeneric);
  if (generic || frame.FindRegister(bare.c_str()).IsValid())
    return Error{ErrorCode::malformed_data, fmt::format("{} is a register in LLDB", name)};
  if (names.definitions.contains(name))
    return Error{ErrorCode::malformed_data, fmt::format("{} is the name of a type", name)};
  return {};
}

Result<CLayout> LldbValueNaming::declare(const ValueContext& context, const Type& type,
                                         unsigned depth, GivenNames::OfTarget& names) {
  auto layout = c_layout_of(context, type, depth);
  if (!layout) return layout;
  const std::string text = whole_text(*layout);
  const auto before = names.layouts.find(text);
  const CNames other = before != names.layouts.end() ? before->second : other_names(*layout, names);
  if (!other.empty()) layout = c_layout_of(context, type, depth, other);
  if (!layout) return layout;
  if (auto told = tell(*layout, names); !told) return std::move(told).error();
  names.layouts.emplace(text, other);
  return layout;
}

Result<void> LldbValueNaming::tell(const CLayout& layout, GivenNames::OfTarget& names) {
  const std::set<std::string> same = known(layout, names);
  std::string forward, text, checks;
  for (const CDefinition& one : layout.definitions) {
    for (const std::string& check : one.checks)
      checks += fmt::format("_Static_assert({}, \"\"); ", check);
    if (same.contains(one.name)) continue;
    forward += one.forward + "\n";
    text += one.text + "\n";
  }
  if (!text.empty()) {
    lldb::SBValue declared = evaluate(forward + text);
    if (!worked(declared)) return failed(declared, "does not take the declaration in C");
    for (const CDefinition& one : layout.definitions)
      names.definitions.insert_or_assign(one.name, text_of(one));
  }
  lldb::SBValue checked = evaluate(checks + "0");
  if (!worked(checked)) return failed(checked, "does not lay the type out as it is in memory");
  return {};
}

Result<void> LldbValueNaming::set(const std::string& name, const CLayout& layout, Address address,
                                  GivenNames::OfTarget& names) {
  const std::string type = layout.before + layout.after;
  const std::string value = fmt::format("({})0x{:x}", type, address.value);
  lldb::SBValue now = evaluate(name);
  std::string text;
  if (!now.GetError().Success()) {
    text = fmt::format("{}{}{} = {}; {}", layout.before, name, layout.after, value, name);
  } else {
    const auto given = names.values.find(name);
    if (given == names.values.end() || given->second.process != process_.GetUniqueID() ||
        now.GetValueAsUnsigned() != given->second.address)
      return Error{ErrorCode::malformed_data,
                   fmt::format("{} is taken already, and LLDB keeps such names until the target is "
                               "deleted",
                               name)};
    if (given->second.type != type)
      return Error{
          ErrorCode::malformed_data,
          fmt::format("{} has the type {} already, and keeps it", name, given->second.type)};
    text = fmt::format("{} = {}; {}", name, value, name);
  }
  lldb::SBValue done = evaluate(text);
  if (!done.GetError().Success()) return failed(done, "does not take the name");
  if (done.GetValueAsUnsigned() != address.value)
    return Error{ErrorCode::malformed_data, fmt::format("LLDB gave {} another value", name)};
  names.values.insert_or_assign(
      name, GivenNames::OfTarget::Given{type, address.value, process_.GetUniqueID()});
  return {};
}

Result<NamedValue> LldbValueNaming::give(const std::string& name, const ValueContext& context,
                                         const Type& type, unsigned depth, Address address) {
  GivenNames::OfTarget& names = names_.of(process_.GetTarget());
  const std::string full = name.starts_with('$') ? name : "$" + name;
  if (auto good = check_name(full, names); !good) return std::move(good).error();
  if (!names.definitions.empty() &&
      !worked(evaluate("sizeof(" + names.definitions.begin()->first + ")")))
    names = {};  // LLDB has forgotten, or these are of another target.
  auto layout = declare(context, type, depth, names);
  if (!layout) return std::move(layout).error();
  if (auto done = set(full, *layout, address, names); !done) return std::move(done).error();
  show_strings(debugger_);
  std::string shown = layout->before + layout->after;
  const bool fields = shown.starts_with('$') && shown.ends_with(" *");
  return NamedValue{full, std::move(shown), fields};
}

}  // namespace cgo
