#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/activity.h"
#include "lldb-plugin/subject.h"
#include "unwind/frame.h"

namespace cgo {

/// A stack that can be asked for: a thread's, or that of a goroutine no thread runs.
struct StackOwner {
  std::optional<ThreadInfo> thread;
  const GoRuntime* runtime = nullptr;
  std::optional<Goroutine>
      goroutine;  ///< Without thread: the parked goroutine. With: known when walked.
};

/// Every goroutine of a stop and the thread that runs it, if any.
struct Inventory {
  std::vector<StackOwner> threads;  ///< By index.
  std::vector<StackOwner> parked;   ///< Alive, on no thread; by runtime, then by id.
  std::vector<Error> problems;      ///< What could not be read: goroutines may be missing then.
};

/// Threads only, without looking at goroutines: cheap.
std::vector<StackOwner> threads_of(const Stop& stop);
/// All of a stop.
Inventory take_inventory(const Stop& stop);

/// A stack and what it was made from.
struct CollectedStack {
  Stack stack;
  Walk walk;
  const GoRuntime* runtime = nullptr;
  std::optional<Goroutine> goroutine;
};

/// Walks and symbolizes one stack.
CollectedStack collect_stack(const Stop& stop, const StackOwner& owner, WalkLimit limit = {});

/// Cuts a stack behind its first `frames` frames, counting those that carry only a crossing or a
/// signal when `plumbing` says so. The end becomes frame_limit where something that counts was cut.
void cut_stack(Stack& stack, std::size_t frames, bool plumbing);

/// Calls `work` for [0, count) in pieces, on several threads when the stop allows it; pieces may
/// run in any order. False when the activity was cancelled, or the process lost, before all was
/// done.
bool for_each_piece(const Stop& stop, std::size_t count, Activity& activity,
                    const std::function<void(std::size_t begin, std::size_t end)>& work);

}  // namespace cgo
