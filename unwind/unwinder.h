#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/frame.h"

namespace cgo {

/// What unwinding has learnt of code: unwind rules, frame sizes, which words can be return
/// addresses. It stays true while the debuggee has the same images and runtimes, whatever it does;
/// share one between the Unwinders of several stops. Thread-safe.
class UnwindCache {
 public:
  UnwindCache();
  ~UnwindCache();

 private:
  friend class Unwinder;
  struct State;
  std::unique_ptr<State> state_;
};

/// Walks stacks of one stop of a debuggee. Cheap to make; references must outlive it. Thread-safe.
class Unwinder {
 public:
  /// `cache` must come from the same images and runtimes; a new one when null.
  Unwinder(const Debuggee& debuggee, const GoRuntimes& runtimes,
           std::shared_ptr<UnwindCache> cache = nullptr);
  ~Unwinder();

  /// The stack of a thread from its registers outward. Never fails as a whole: a walk that cannot
  /// begin is empty and says why. The goroutine it runs, if any, is in
  /// `goroutine`, with the runtime it belongs to.
  struct ThreadWalk {
    Walk walk;
    const GoRuntime* runtime = nullptr;
    std::optional<Goroutine> goroutine;
    std::optional<std::string> note;  ///< "C code on a bound extra M: no goroutine runs", …
  };
  ThreadWalk thread(std::uint64_t tid, WalkLimit limit = {}) const;

  /// The stack of a goroutine that no thread runs, from its saved registers.
  Walk parked(const GoRuntime& runtime, const Goroutine& g, WalkLimit limit = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cgo
