#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/target_breakpoint.h"

namespace cgo {

/// What the user asked for.
struct FaultRequest {
  bool all = false;       ///< Also what breaks nothing.
  bool uncaught = false;  ///< exception: only those that no handler takes before Go.
  bool log = false;
  std::string words;  ///< As typed, for lists.
};

/// A stop where something begins that may break at the boundary of Go and C: while all frames are
/// there.
class FaultBreakpoint : public TargetBreakpoint {
 protected:
  explicit FaultBreakpoint(FaultRequest request) : request_(std::move(request)) {}

  /// Whether a function that a sanitizer puts before another one, which was arrived at before, has
  /// jumped on to this one with the same first argument.
  bool was_passed_on(const Visited& at);
  /// A line of a log, or a stop with the stack.
  Outcome shown(std::string text, const CollectedStack& stack) const;

  const FaultRequest request_;

 private:
  struct Arrival {
    std::uint64_t process, tid, sp, argument, pc;
  };
  std::optional<Arrival> last_;
};

/// File addresses of functions with these names in a module, each once.
std::vector<std::uint64_t> functions_named(lldb::SBModule module,
                                           std::initializer_list<const char*> names);

}  // namespace cgo
