#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "lldb-plugin/fault_breakpoint.h"
#include "lldb-plugin/signal_report.h"

namespace cgo {

/// Stops before code other than Go's sets a handler that breaks Go: one without SA_ONSTACK, or one
/// in the place of Go's own.
class SignalBreakpoint final : public FaultBreakpoint {
 public:
  explicit SignalBreakpoint(FaultRequest request) : FaultBreakpoint(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override {
    counts_ = {};
    sites_.forget_arrivals();
    others_.clear();
  }

 private:
  /// Says what it does to Go; true where it may break it.
  bool add_verdict(const Stop& stop, int signal, const SignalAction& action, std::string& text);

  struct Counts {
    std::uint64_t all = 0, breaking = 0, untold = 0;
  };
  Counts counts_;
  std::set<std::uint32_t> others_;  ///< Signals whose handler was Go's and was seen to be replaced.
};

}  // namespace cgo
