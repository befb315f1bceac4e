#pragma once

#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/memory_reader.h"
#include "target/registers.h"
#include "unwind/stack_switch.h"

namespace cgo {

/// Where a walk stands: the registers of a frame that has not been recorded yet.
struct Position {
  Registers registers;
  CodeAddress::Origin origin = CodeAddress::Origin::program_counter;
  bool innermost = true;  ///< Nothing was called from here: all registers are the CPU's own.
};

/// What the goroutine's own stack says lies outside a cgocallback frame: the backbone that a C
/// segment has to lead to.
struct CallbackAnchor {
  Address cfa;                     ///< Of cgocallback on the goroutine's stack.
  std::optional<Position> caller;  ///< The Go function that called C; nothing when C created the
                                   ///< thread, so that no Go frame is outside.
};

/// Reads the made-up frame that cgocallback pushed on the goroutine's stack: sched.pc of the
/// goroutine as it was in C. `registers` are cgocallback's on that stack.
/// Source: src/runtime/asm_amd64.s, cgocallback ("push" return PC on the g stack).
Result<CallbackAnchor> callback_anchor(const MemoryReader& memory, const GoRuntime& runtime,
                                       const SwitchSite& site);

/// The places on the system stack where the other half of a cgocallback frame may be, best first:
/// what its frame pointer says, then the chain of m.g0.sched.sp. Each was checked to return into
/// crosscall2; whether it is the right one only the walk to the anchor shows.
struct CallbackCandidate {
  Address g0_sp;
  Position crosscall2;
  Address next_in_chain;  ///< g0.sched.sp as it was before this callback.
};
std::vector<CallbackCandidate> callback_candidates(const MemoryReader& memory,
                                                   const GoRuntime& runtime,
                                                   const SwitchContext& context,
                                                   const SwitchSite& site);

}  // namespace cgo
