#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lldb-plugin/target_breakpoint.h"
#include "stops/library_event.h"
#include "stops/trace_log.h"

namespace cgo {

/// Logs what binds libraries to a program that runs: dlopen, dlmopen, dlsym, dlvsym of the C
/// library, and plugin.Open and Lookup of Go, each at its return with what came of it. Never stops.
class LibraryBreakpoint final : public TargetBreakpoint {
 public:
  explicit LibraryBreakpoint(std::shared_ptr<TraceLog> log) : log_(std::move(log)) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override;

 private:
  enum class Role : std::uint8_t { entry, exit, failure };
  /// An instruction of a function with this name.
  struct Place {
    Role role = Role::entry;
    std::string function;
  };
  /// A call that has not come back. Of Go's functions `sp` is below the end of the goroutine's
  /// stack, which may move, and `owner` the goroutine; else `owner` is the thread.
  struct Open {
    std::uint64_t owner = 0, sp = 0;
    std::int64_t since_ns = 0;
    LibraryEvent event;
  };
  class Visit;

  const Place* place_of(lldb::SBBreakpointLocation location) const;
  void add(lldb::SBModule module, const char* function);

  const std::shared_ptr<TraceLog> log_;
  std::map<std::pair<std::string, std::uint64_t>, Place> places_;  // By file and file address.
  std::vector<Open> open_;                                         // The oldest first.
  std::map<std::uint64_t, std::string> failures_;  // By thread: what ld.so said last.
  std::uint64_t count_ = 0;
};

}  // namespace cgo
