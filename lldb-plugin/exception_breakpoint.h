#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "lldb-plugin/target_breakpoint.h"

namespace cgo {

/// What the user asked for.
struct ExceptionRequest {
  bool uncaught = false;  ///< Only those that no handler takes before Go.
  bool log = false;
  std::string words;  ///< As typed, for lists.
};

/// Stops where the C++ runtime begins to look for a handler: for each exception that is thrown,
/// thrown on, or that unwinds by force.
class ExceptionBreakpoint final : public TargetBreakpoint {
 public:
  explicit ExceptionBreakpoint(ExceptionRequest request) : request_(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  Outcome arrived(Sessions& sessions, lldb::SBFrame frame,
                  lldb::SBBreakpointLocation location) override;
  std::string summary() override;

 private:
  const ExceptionRequest request_;
  std::mutex mutex_;
  lldb::SBProcess process_;
  std::uint64_t thrown_ = 0, uncaught_ = 0;
};

}  // namespace cgo
