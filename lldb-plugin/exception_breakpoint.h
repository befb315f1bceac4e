#pragma once

#include <cstdint>
#include <string>

#include "lldb-plugin/fault_breakpoint.h"

namespace cgo {

/// Stops where the C++ runtime begins to look for a handler: for each exception that is thrown,
/// thrown on, or that unwinds by force.
class ExceptionBreakpoint final : public FaultBreakpoint {
 public:
  explicit ExceptionBreakpoint(FaultRequest request) : FaultBreakpoint(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override {
    counts_ = {};
    sites_.forget_arrivals();
  }

 private:
  Outcome decide_thrown(const Visited& at, const CollectedStack& stack);
  Outcome decide_forced(const Visited& at, const CollectedStack& stack);

  struct Counts {
    std::uint64_t thrown = 0, uncaught = 0, untold = 0, forced = 0;
  };
  Counts counts_;
};

}  // namespace cgo
