#pragma once

#include <cstdint>
#include <optional>
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
    last_.reset();
  }

 private:
  Outcome decide_thrown(const Visited& at, const CollectedStack& stack);
  Outcome decide_forced(const Visited& at, const CollectedStack& stack);

  struct Counts {
    std::uint64_t thrown = 0, uncaught = 0, untold = 0, forced = 0;
  };
  /// Whether a function of a sanitizer, which was arrived at before, has jumped on to this one.
  bool is_same_arrival(const Visited& at);

  struct Arrival {
    std::uint64_t tid, sp, header, pc;
  };
  Counts counts_;
  std::optional<Arrival> last_;
};

}  // namespace cgo
