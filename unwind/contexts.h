#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/stack_switch.h"

namespace cgo {

/// One runtime's view of what is walked.
struct RuntimeContext {
  const GoRuntime* runtime = nullptr;
  SwitchContext stacks;
  bool user_seen = false;  ///< A frame of the goroutine itself has been recorded.
};

/// What a thread's TLS says to every runtime of the process.
struct ThreadContexts {
  std::vector<RuntimeContext> all;
  std::optional<std::string> note;  ///< Why there is no goroutine, where that needs saying.
};

ThreadContexts contexts_of_thread(const Debuggee& debuggee, const GoRuntimes& runtimes,
                                  std::uint64_t tid);

/// For a goroutine that no thread runs. One that waits inside a callback is locked to its m, whose
/// system stack holds the C frames.
RuntimeContext context_of_parked(const MemoryReader& memory, const GoRuntime& runtime,
                                 const Goroutine& g);

}  // namespace cgo
