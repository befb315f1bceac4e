#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/scheduler.h"
#include "lldb-plugin/activity.h"
#include "lldb-plugin/subject.h"
#include "unwind/mutex_wait.h"

namespace cgo {

/// A thread of the process, with what stands on its stack.
struct ThreadReport {
  ThreadInfo thread;
  Stack stack;
  std::optional<std::uint64_t> goroutine;  ///< That runs on it.
  /// Where none runs, but one is locked to it (it waits within a callback): that, with its stack.
  std::optional<std::uint64_t> locked_goroutine;
  std::optional<Stack> locked_stack;
  std::optional<MutexWait> waits;
  bool may_wait = false;  ///< For something that has no name: perhaps a mutex.
  /// Innermost that is not plumbing and not the C library's, if there is one; lives in `stack`.
  const Frame* user_frame = nullptr;

  /// What the thread works for: its own stack, or that of the goroutine locked to it.
  const Stack& told_stack() const { return locked_stack ? *locked_stack : stack; }
  std::optional<std::uint64_t> told_goroutine() const {
    return goroutine ? goroutine : locked_goroutine;
  }
};

/// One thread that waits for a mutex, by index into SchedulerReport::threads.
struct MutexWaitReport {
  std::size_t waiter = 0;
  std::optional<std::size_t> holder;  ///< Nothing where the mutex's owner is no thread of here.
  /// The holder waits, through others, for the waiter, and none of them will give up.
  bool deadlock = false;
  std::string what;  ///< What the mutex is: a variable, a block of memory …
};

/// The scheduler of one Go runtime.
struct RuntimeReport {
  const GoRuntime* runtime = nullptr;
  std::optional<SchedulerState> state;  ///< Nothing where its layout is not known.
  std::vector<Machine> machines;        ///< Known in any case.
};

/// What `cgo sched` tells.
struct SchedulerReport {
  std::vector<RuntimeReport> runtimes;
  std::vector<ThreadReport> threads;
  std::vector<MutexWaitReport> waits;
  std::vector<std::string> problems;
  std::size_t may_wait = 0;  ///< Threads of which it cannot be told whether they wait for a mutex.
};

/// Walks every thread and reads every scheduler; stops early, and says so, when cancelled.
SchedulerReport make_scheduler_report(const Stop& stop, Activity& activity);

/// For people; ends with a newline.
std::string scheduler_text(const SchedulerReport& report, const Stop& stop, bool colour);
/// The keys of lldb-cgo/sched/1 behind its schema, without the last brace.
std::string scheduler_json(const SchedulerReport& report, const Stop& stop);

}  // namespace cgo
