#pragma once

#include <lldb/API/LLDB.h>

#include <map>
#include <optional>
#include <string>

#include "target/result.h"

namespace cgo {

/// What LLDB gives to the programs that a target launches: the setting target.env-vars, on top of
/// LLDB's own environment.
class LaunchEnvironment {
 public:
  LaunchEnvironment(lldb::SBDebugger debugger, lldb::SBTarget target)
      : debugger_(debugger), target_(target) {}

  /// As the program would have it; "" where it has none.
  std::string effective(const std::string& name) const;
  /// Of the setting alone.
  std::optional<std::string> own(const std::string& name) const;
  /// Fails for what LLDB's command line cannot express.
  Result<void> set(const std::string& name, const std::string& value);
  /// As if it had never been set in the setting.
  Result<void> remove(const std::string& name);

 private:
  Result<std::string> command(const std::string& line) const;

  mutable lldb::SBDebugger debugger_;
  mutable lldb::SBTarget target_;
};

}  // namespace cgo
