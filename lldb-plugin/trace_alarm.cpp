#include "lldb-plugin/trace_alarm.h"

#include <csignal>
#include <ctime>
#include <thread>

namespace cgo {
namespace {

constexpr std::uint32_t kRings = 1;
constexpr long kTickNs = 10'000'000;
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

sigset_t watched() {
  sigset_t out;
  sigemptyset(&out);
  for (const int signal : kSignals) {
    struct sigaction now{};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&out, signal);
  }
  return out;
}

}  // namespace

TraceAlarm& TraceAlarm::start(bool terminal_is_not_ours) {
  auto& alarm = *new TraceAlarm(terminal_is_not_ours);  // The thread uses it to the very end.
  std::thread([&alarm] { alarm.watch(); }).detach();
  return alarm;
}

void TraceAlarm::ring() {
  if (!rung_.exchange(true)) broadcaster_.BroadcastEventByType(kRings);
}

void TraceAlarm::wake(lldb::SBListener listener) {
  listener.StartListeningForEvents(broadcaster_, kRings);
}

void TraceAlarm::watch() {
  const sigset_t signals = watched();
  for (;;) {
    const timespec tick{0, kTickNs};
    siginfo_t info{};
    const int signal = sigtimedwait(&signals, &info, &tick);
    if (signal > 0 && !(terminal_is_not_ours_ && info.si_code > 0)) {
      last_signal_ = signal;
      ++signals_;
      ring();
    }
    const auto time = time_.load();
    if (time != 0 && std::chrono::steady_clock::now().time_since_epoch().count() >= time) ring();
  }
}

}  // namespace cgo
