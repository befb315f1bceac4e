#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/arrival_sites.h"
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

  /// Addresses of functions with these names in a module, and where each has been passed; for
  /// addresses(). Locks.
  std::vector<std::uint64_t> sites_in(lldb::SBModule module,
                                      std::initializer_list<const char*> names);
  /// Whether a thread comes to one of these for a new call, and not again for the same because a
  /// signal came between.
  bool is_new(const Visited& at) { return sites_.is_new(at.frame, at.thread().GetThreadID()); }

  /// Whether a function that a sanitizer puts before another one, which was arrived at before, has
  /// jumped on to this one with the same first argument.
  bool was_passed_on(const Visited& at);
  /// A line of a log, or a stop with the stack.
  Outcome shown(std::string text, const CollectedStack& stack) const;

  const FaultRequest request_;
  ArrivalSites sites_;

 private:
  struct Arrival {
    std::uint64_t process, tid, sp, argument, pc;
  };
  std::optional<Arrival> last_;
};

}  // namespace cgo
