#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crossings/crossing_tracker.h"
#include "lldb-plugin/crossing_sites.h"
#include "lldb-plugin/target_breakpoint.h"
#include "stops/c_locale.h"
#include "stops/crossing_report.h"
#include "stops/crossing_scope.h"
#include "stops/crossing_shape.h"
#include "stops/trace_log.h"

namespace cgo {

/// What the user asked for.
struct CrossingRequest {
  CrossingQuery query;
  std::shared_ptr<const CrossingCondition> condition;  ///< --if; may be null.
  std::optional<std::uint64_t> only, every;            ///< --hits, --every.
  std::optional<std::int64_t> slower_ns;
  bool with_errno = false, with_python = false, moved = false;  ///< --errno, --python, --moved.
  bool log = false, stack = false;
  std::shared_ptr<TraceLog> trace;  ///< Where arrivals go that nobody shall see; may be null.
  bool tells = false;               ///< Arrivals are given to a script, which decides.
  std::string words;                ///< As typed, for lists: "break enter f".
};

/// One breakpoint on crossings: where it goes in each module, and what an arrival there means.
class CrossingBreakpoint final : public TargetBreakpoint {
 public:
  CrossingBreakpoint(CrossingRequest request, CrossingFiles& files)
      : request_(std::move(request)), files_(files) {}

  std::vector<std::uint64_t> addresses(lldb::SBModule module) override;
  std::string summary() override;
  /// Crossings under way, by C's name of the function.
  std::map<std::string, std::uint64_t> open();
  std::vector<std::string> problems() const;
  /// Crossings that fit, in the modules seen so far.
  std::size_t matching() const;

 protected:
  Outcome decide(const Visited& at) override;
  void begin_process() override;

 private:
  /// What is kept from an entry to its return.
  struct Entered {
    std::vector<std::byte> block;  // The arguments, as they were.
    Address block_at;
    std::uint64_t below_stack = 0;  // Of the block, below the goroutine's stack.hi; it may move.
    std::optional<int> errno_value;
    bool python_pending = false;
    std::optional<SignalSet> blocked;
    std::optional<CLocale> locale;
    std::optional<std::uint64_t> mxcsr, fctrl;
    std::optional<std::uint64_t> moved_from;
  };
  struct Module {
    std::shared_ptr<const FileCrossings> crossings;
    std::map<Address, CrossingSite> sites;  // By file address.
  };
  /// A location of LLDB's, as it was found out at its first arrival.
  struct Place {
    CrossingSite site;
    CrossingPoint crossing;  // With load addresses.
    std::optional<Result<CrossingShape>> shape;
    std::shared_ptr<const Program> of_shape;  // Keeps the types.
  };
  class Visit;  // One arrival.
  friend class Visit;

  Place* place_of(lldb::SBBreakpointLocation location);
  Module* module_of(const std::string& path, const std::string& build_id);
  /// The one whose entry is at `stub`, of those that were arrived at; else null.
  const CrossingPoint* crossing_with_stub(Address stub) const;
  /// Threads that are gone come back from nothing.
  void end_threads();

  CrossingRequest request_;
  CrossingFiles& files_;
  std::map<std::pair<std::string, std::string>, Module> modules_;
  std::vector<std::string> problems_;
  // Of one process:
  std::map<lldb::break_id_t, Place> places_;
  CrossingTracker tracker_;
  std::map<std::uint64_t, Entered> entered_;  // By OpenCrossing::number.
  struct KnownMachine {
    Address m;
    std::uint32_t ncgo = 0;  // Offset in it.
  };
  /// By the address of the runtime's code, and tid.
  std::map<std::pair<Address, std::uint64_t>, KnownMachine> machines_;
  /// The thread of the last call into C, by the address of the runtime's code and goroutine.
  std::map<std::pair<Address, std::uint64_t>, std::uint64_t> last_threads_;
  std::optional<Result<std::int64_t>> errno_offset_, locale_offset_;  // From the thread pointer.
  std::optional<Result<PythonRuntime>> python_;
  std::shared_ptr<const Program> of_python_;  // Whose modules it was looked for in.
  std::uint64_t fitting_ = 0, failed_ = 0;
  std::uint64_t counted_ = 0;  // Arrivals of the kind asked for.
};

}  // namespace cgo
