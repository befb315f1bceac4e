#pragma once

#include <lldb/API/LLDB.h>

#include <atomic>
#include <chrono>

namespace cgo {

/// Rings once it is time to end a trace: at a time, at a signal, or when it is told to.
/// Thread-safe.
class TraceAlarm {
 public:
  /// Watches from a thread of its own for SIGINT, SIGTERM, SIGHUP and SIGQUIT, which have to be
  /// blocked in all threads. `terminal_is_not_ours`: not for those that a terminal sends. Lives as
  /// long as the process.
  static TraceAlarm& start(bool terminal_is_not_ours);

  void set(std::chrono::steady_clock::time_point time) { time_ = time.time_since_epoch().count(); }
  void ring();
  bool rung() const { return rung_; }
  /// From now on who waits at `listener` is woken by it.
  void wake(lldb::SBListener listener);
  /// How many signals came, and which was the last; 0 for none.
  int signals() const { return signals_; }
  int last_signal() const { return last_signal_; }

 private:
  explicit TraceAlarm(bool terminal_is_not_ours) : terminal_is_not_ours_(terminal_is_not_ours) {}
  [[noreturn]] void watch();

  const bool terminal_is_not_ours_;
  std::atomic<std::chrono::steady_clock::rep> time_{0};  // 0: none.
  std::atomic<bool> rung_{false};
  std::atomic<int> signals_{0}, last_signal_{0};
  lldb::SBBroadcaster broadcaster_{"lldb-cgo.trace"};
};

}  // namespace cgo
