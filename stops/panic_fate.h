#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goruntime/deferred_calls.h"
#include "goruntime/go_runtime.h"
#include "stops/recover_calls.h"
#include "unwind/frame.h"

namespace cgo {

/// What becomes of a panic, as far as the stack and the code tell.
struct PanicFate {
  /// A deferred call that may stop it.
  struct Chance {
    std::size_t physical = 0;  ///< Of the frame that deferred it, an index into Walk::elements.
    RecoverCall call;          ///< Never one of kind none.
  };
  std::vector<Chance> chances;  ///< In the order in which they would run.
  std::size_t pending = 0;  ///< Deferred calls that are known to run, whether they recover or not.
  /// Why more of them may be there than are known: from here on nothing is known.
  std::optional<Error> unknown;
  /// An index into Walk::elements of the outermost frame that runtime.Goexit is ending; what
  /// recovers further in ends the goroutine all the same.
  std::optional<std::size_t> goexit;
  std::vector<std::size_t> earlier;  ///< Frames of runtime.gopanic further out: panics in progress.

  /// Whether nothing can recover it.
  bool ends_the_process() const { return chances.empty() && !unknown; }
};

/// Whether any frame is C's.
bool has_c_frames(const Walk& walk);

/// The frames of C between physical frames `from` and `to` (both left out), by physical index,
/// innermost first; those that only carry a crossing are left out.
std::vector<std::size_t> c_frames_between(const Stack& stack, std::size_t from, std::size_t to);

/// `walk`: the stack of a thread at the entry of runtime.gopanic, which is frame `panicking`.
PanicFate panic_fate(const MemoryReader& memory, const GoRuntime& runtime,
                     const DeferLayout& layout, const Goroutine& goroutine, const Walk& walk,
                     std::size_t panicking);

}  // namespace cgo
