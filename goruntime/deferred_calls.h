#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "goruntime/defer_layout.h"
#include "goruntime/pclntab.h"
#include "target/memory_reader.h"

namespace cgo {

/// A function of Go on a goroutine's stack, at one of its calls.
struct DeferringFrame {
  GoFunction function;
  Address sp;   ///< The stack pointer while it calls.
  Address cfa;  ///< What it was in the caller, before the call.
};

/// A call that is deferred and did not begin.
struct DeferredCall {
  std::size_t frame = 0;  ///< That deferred it: an index into the frames that were given.
  Address closure;        ///< The func value that will be called; 0: nil.
};

/// Those that a panic runs, in that order.
struct DeferredCalls {
  std::vector<DeferredCall> found;
  std::optional<Error> error;    ///< There may be more from here on, which are not known.
  std::size_t known_frames = 0;  ///< All calls of so many frames are known.
};

/// The calls that are deferred by `frames`, innermost first: the caller of runtime.gopanic and
/// those around it. `whole`: there are no others further out. Calls are kept in a list of the
/// goroutine's, or, since Go 1.14, in bits and slots of the frame (open-coded). Source:
/// src/runtime/panic.go of 1.19 to 1.27: gopanic, addOneOpenDeferFrame, runOpenDeferFrame;
/// (*_panic).nextDefer, nextFrame, initOpenCodedDefers, deferconvert since 1.22.
DeferredCalls deferred_calls(const MemoryReader& memory, const DeferLayout& layout, Address g,
                             std::span<const DeferringFrame> frames, bool whole);

/// A panic (or a runtime.Goexit) that is in progress on a goroutine.
struct PanicRecord {
  Address address;
  Address arg;  ///< Where its value, an interface{}, lies.
  bool is_goexit = false;
};
/// Those of a goroutine, the last one first.
Result<std::vector<PanicRecord>> panics_of(const MemoryReader& memory, const DeferLayout& layout,
                                           Address g);

}  // namespace cgo
