#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "lldb-plugin/value_naming.h"

namespace cgo {

/// What LLDB's expressions were told of types and values, target by target. LLDB keeps such
/// declarations for as long as it keeps the target, and only the first of a name counts.
class GivenNames {
 public:
  struct OfTarget {
    std::map<std::string, std::string, std::less<>> definitions;  ///< Text, by name.
    std::map<std::string, CNames> layouts;  ///< Names used, by the text without other names.
    struct Given {
      std::string type;
      std::uint64_t address = 0;
      std::uint32_t process = 0;  ///< SBProcess::GetUniqueID.
    };
    std::map<std::string, Given, std::less<>> values;  ///< By name with '$'.
  };
  OfTarget& of(lldb::SBTarget target);

 private:
  std::map<std::uint64_t, OfTarget> by_target_;
};

/// Gives names in LLDB's expressions, as persistent variables of the process's target.
class LldbValueNaming final : public ValueNaming {
 public:
  LldbValueNaming(lldb::SBDebugger debugger, lldb::SBProcess process, GivenNames& names)
      : debugger_(debugger), process_(process), names_(names) {}
  Result<NamedValue> give(const std::string& name, const ValueContext& context, const Type& type,
                          unsigned depth, Address address) override;

 private:
  lldb::SBValue evaluate(const std::string& text);
  Result<void> check_name(const std::string& name, const GivenNames::OfTarget& names);
  Result<CLayout> declare(const ValueContext& context, const Type& type, unsigned depth,
                          GivenNames::OfTarget& names);
  Result<void> tell(const CLayout& layout, GivenNames::OfTarget& names);
  Result<void> set(const std::string& name, const CLayout& layout, Address address,
                   GivenNames::OfTarget& names);

  lldb::SBDebugger debugger_;
  lldb::SBProcess process_;
  GivenNames& names_;
};

}  // namespace cgo
