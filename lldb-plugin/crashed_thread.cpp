#include "lldb-plugin/crashed_thread.h"

#include <vector>

#include "unwind/crash_cause.h"

namespace cgo {

std::optional<CrashedThread> crashed_thread(const Stop& stop) {
  constexpr WalkLimit kInnermost{256, 0};
  constexpr std::size_t kMostThreads = 4096;
  if (!stop.debuggee->is_core()) return std::nullopt;
  const std::vector<ThreadInfo> threads = stop.debuggee->threads();
  if (threads.size() < 2 || threads.size() > kMostThreads) return std::nullopt;
  std::vector<CrashEvidence> evidence;
  for (const ThreadInfo& thread : threads)
    evidence.push_back(crash_evidence(stop.unwinder->thread(thread.tid, kInnermost).walk,
                                      stop.debuggee->memory()));
  const auto cause = crash_cause(evidence);
  if (!cause) return std::nullopt;
  return CrashedThread{threads[cause->thread], cause->what};
}

}  // namespace cgo
