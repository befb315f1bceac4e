#pragma once

#include <cstdint>
#include <string>

#include "lldb-plugin/fault_breakpoint.h"

namespace cgo {

/// Stops before a longjmp that jumps over frames of Go.
class LongjmpBreakpoint final : public FaultBreakpoint {
 public:
  explicit LongjmpBreakpoint(FaultRequest request) : FaultBreakpoint(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override {
    counts_ = {};
    sites_.forget_arrivals();
  }

 private:
  struct Counts {
    std::uint64_t all = 0, over_go = 0, untold = 0;
  };
  Counts counts_;
};

}  // namespace cgo
