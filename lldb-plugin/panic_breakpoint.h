#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "lldb-plugin/fault_breakpoint.h"
#include "lldb-plugin/go_function_sites.h"
#include "stops/panic_fate.h"

namespace cgo {

/// Stops where a panic of Go begins, while C is below.
class PanicBreakpoint final : public FaultBreakpoint {
 public:
  explicit PanicBreakpoint(FaultRequest request) : FaultBreakpoint(std::move(request)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override;

 private:
  static void keep(const Visited& at, const CollectedStack& collected);
  Result<DeferLayout> layout_of(const Stop& stop, const GoRuntime& runtime);

  struct Counts {
    std::uint64_t panics = 0, over_c = 0, ends = 0, untold = 0;
  };
  Counts counts_;
  std::shared_ptr<const Program> program_;  // That layouts_ belong to.
  std::map<const GoRuntime*, Result<DeferLayout>> layouts_;
};

}  // namespace cgo
