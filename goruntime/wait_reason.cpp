#include "goruntime/wait_reason.h"

#include <algorithm>
#include <iterator>

namespace cgo {
namespace {

/// A reason with the first and last minor release that has it. Releases put new ones between old
/// ones, so that the numbers move, but the order stays.
struct Reason {
  int first, last;
  std::string_view text;
};

// Source: src/runtime/runtime2.go of each release, waitReasonStrings.
constexpr Reason kReasons[] = {
    {19, 27, ""},
    {19, 27, "GC assist marking"},
    {19, 27, "IO wait"},
    {19, 27, "chan receive (nil chan)"},
    {19, 27, "chan send (nil chan)"},
    {19, 27, "dumping heap"},
    {19, 27, "garbage collection"},
    {19, 27, "garbage collection scan"},
    {19, 27, "panicwait"},
    {19, 27, "select"},
    {19, 27, "select (no cases)"},
    {19, 27, "GC assist wait"},
    {19, 27, "GC sweep wait"},
    {19, 27, "GC scavenge wait"},
    {19, 27, "chan receive"},
    {19, 27, "chan send"},
    {19, 27, "finalizer wait"},
    {19, 27, "force gc (idle)"},
    {25, 27, "GOMAXPROCS updater (idle)"},
    {19, 27, "semacquire"},
    {19, 27, "sleep"},
    {19, 27, "sync.Cond.Wait"},
    {19, 19, "timer goroutine (idle)"},
    {20, 27, "sync.Mutex.Lock"},
    {20, 27, "sync.RWMutex.RLock"},
    {20, 27, "sync.RWMutex.Lock"},
    {24, 27, "sync.WaitGroup.Wait"},
    {19, 27, "trace reader (blocked)"},
    {19, 27, "wait for GC cycle"},
    {19, 27, "GC worker (idle)"},
    {20, 27, "GC worker (active)"},
    {19, 27, "preempted"},
    {19, 27, "debug call"},
    {20, 27, "GC mark termination"},
    {20, 27, "stopping the world"},
    {22, 27, "flushing proc caches"},
    {22, 27, "trace goroutine status"},
    {22, 27, "trace proc status"},
    {22, 27, "page trace flush"},
    {22, 27, "coroutine"},
    {23, 27, "GC weak to strong wait"},
    {24, 27, "synctest.Run"},
    {24, 27, "synctest.Wait"},
    {24, 24, "chan receive (synctest)"},
    {24, 24, "chan send (synctest)"},
    {24, 24, "select (synctest)"},
    {25, 27, "chan receive (durable)"},
    {25, 27, "chan send (durable)"},
    {25, 27, "select (durable)"},
    {25, 27, "sync.WaitGroup.Wait (durable)"},
    {25, 27, "cleanup wait"},
};

constexpr int kNewest = 27;

}  // namespace

std::size_t wait_reason_count(GoVersion version) {
  const int minor = std::min(version.minor, kNewest);
  return static_cast<std::size_t>(std::count_if(
      std::begin(kReasons), std::end(kReasons),
      [&](const Reason& reason) { return reason.first <= minor && minor <= reason.last; }));
}

std::optional<std::string_view> wait_reason_for(GoVersion version, std::uint8_t number) {
  int next = 0;
  for (const Reason& reason : kReasons) {
    if (version.minor < reason.first || reason.last < version.minor) continue;
    if (next++ == number) return reason.text;
  }
  return std::nullopt;
}

}  // namespace cgo
