#pragma once

#include <cstdint>
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
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override { counts_ = {}; }

 private:
  Outcome decide_thrown(const Visited& at, const CollectedStack& stack);
  Outcome decide_forced(const Visited& at, const CollectedStack& stack);
  /// What is said, with the stack where the process stops.
  Outcome shown(std::string text, const CollectedStack& stack) const;

  struct Counts {
    std::uint64_t thrown = 0, uncaught = 0, untold = 0, forced = 0;
  };
  const ExceptionRequest request_;
  Counts counts_;
};

}  // namespace cgo
