#pragma once

#include <string>

#include "lldb-plugin/crossing_breakpoint.h"
#include "lldb-plugin/value_place.h"
#include "stops/sysv_call.h"
#include "values/program_context.h"

namespace cgo {

/// What is known of the thread's m at this moment.
struct MachineNow {
  Machine machine;
  std::uint64_t calls = 0;
  std::optional<Goroutine> goroutine;
};

/// One arrival at a breakpoint on crossings: made for it, with the breakpoint and the session
/// locked.
class CrossingBreakpoint::Visit {
 public:
  Visit(CrossingBreakpoint& breakpoint, Place& place, lldb::SBFrame frame,
        std::shared_ptr<const Stop> stop)
      : self_(breakpoint),
        request_(breakpoint.request_),
        place_(place),
        crossing_(&place.crossing),
        frame_(frame),
        thread_(frame.GetThread()),
        stop_(std::move(stop)),
        memory_(stop_->debuggee->memory()) {
    moment_.tid = thread_.GetThreadID();
    moment_.thread_index = thread_.GetIndexID();
  }

  bool run();
  /// For one of `returned_too`.
  bool run_outer(const OpenCrossing& crossing);
  std::vector<OpenCrossing> returned_too;  ///< Crossings that returned with this one.
  std::string text;                        ///< What the user is to read.
  std::string told;                        ///< What a script is to know.

 private:
  bool to_c() const { return crossing_->direction == CrossingPoint::Direction::go_to_c; }
  void find_machine();
  Arrival arrival() const;
  bool returns(const OpenCrossing& crossing, std::int64_t time_ns);
  CrossingTracker::Event track(const Arrival& arrival);
  void say_abandoned(const std::vector<OpenCrossing>& abandoned);
  void look_at_other_threads();
  void find_move();
  void keep_entry(const OpenCrossing& entered);
  bool count();
  bool decide();
  bool fits();
  bool was_called_there();
  std::optional<bool> condition_holds();

  const Result<CrossingShape>& shape();
  void read_arguments();
  void read_arguments_of_call();
  void read_arguments_of_callback();
  void read_result();
  std::optional<Datum> passed(const Type& type, const PassedValue& where, bool result);
  void read_errno();
  void read_changes();
  /// The CPython of this process; null where it has none.
  const Result<PythonRuntime>* python();
  bool python_is_pending();
  void read_python();
  void find_caller();
  using OffsetFinder = Result<std::int64_t>(const MemoryReader&, const ImageMap&);
  /// What the C library keeps for this thread, at an offset that is found once.
  std::optional<Address> thread_local_at(std::optional<Result<std::int64_t>>& offset,
                                         OffsetFinder* find);
  std::optional<int> errno_of_thread();
  std::optional<CLocale> locale_of_thread();
  std::optional<SignalSet> blocked_signals() const;
  std::optional<Address> block_now() const;
  CrossingValue show(const CrossingPart& part, Datum datum);
  const ProgramContext& context();

  CrossingBreakpoint& self_;
  const CrossingRequest& request_;
  Place& place_;
  const CrossingPoint* crossing_;
  lldb::SBFrame frame_;
  lldb::SBThread thread_;
  std::shared_ptr<const Stop> stop_;
  const MemoryReader& memory_;
  const GoRuntime* runtime_ = nullptr;
  std::optional<MachineNow> machine_;
  std::optional<Entered> entered_;  // Of a return: what was kept.
  std::unique_ptr<const ProgramContext> context_;
  std::optional<CollectedStack> stack_;
  CrossingMoment moment_;
  CrossingScope scope_;
};

}  // namespace cgo
