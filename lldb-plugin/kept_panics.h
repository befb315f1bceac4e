#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "goruntime/go_runtime.h"
#include "unwind/kept_walk.h"

namespace cgo {

/// Stacks of the moments when panics began, of one process: for later stops, when what the runtime
/// prints has overwritten the frames of C. Thread-safe.
class KeptPanics {
 public:
  /// `watches`: whether every panic since has come by here too. One that did not could look the
  /// same.
  void keep(KeptWalk walk, std::function<bool()> watches);
  /// Fills gaps of a later walk of a goroutine where that panic is still in progress.
  void fill(Walk& walk, const Goroutine& goroutine, const GoRuntime& runtime) const;

 private:
  static constexpr std::size_t kMostPanics = 32, kMostFrames = 2'000;
  struct Kept {
    KeptWalk walk;
    std::function<bool()> watches;
  };
  mutable std::mutex mutex_;
  std::deque<Kept> kept_;  // The last one first.
};

}  // namespace cgo
