#pragma once

#include "goruntime/pclntab.h"
#include "target/memory_reader.h"
#include "target/registers.h"

namespace cgo {

/// One step outward from a Go frame on the same stack.
struct GoStep {
  Registers caller;  ///< pc, sp and fp: Go preserves no other register.
  Address cfa;
};

/// Steps by the function's frame size at its pc. `registers` are those of the frame. Says nothing
/// about whether the word found is a return address. On amd64 the frame pointer is saved right
/// below the return address of every function with a frame. Source:
/// src/cmd/internal/obj/x86/obj6.go, preprocess (frame pointer); Go 1.19-1.27.
Result<GoStep> step_go(const MemoryReader& memory, std::uint32_t frame_bytes,
                       const Registers& registers);

}  // namespace cgo
