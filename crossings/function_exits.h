#pragma once

#include <vector>

#include "goruntime/go_runtime.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// Where the code of a C function leaves it. At each of these instructions the stack pointer is
/// what it was at the function's first.
struct FunctionExits {
  std::vector<Address> returns;     ///< Return instructions.
  std::vector<Address> tail_jumps;  ///< Jumps to another function, which returns in its place.
};

/// The exits of the function at `entry`, one of cgo's stubs: as long as its symbol says, else to
/// where its code does not go on and no jump of it leads further. Fails where its code cannot be
/// read or makes no sense.
Result<FunctionExits> exits_of(const MemoryReader& memory, const ImageMap& images, Address entry);

/// The places in runtime.asmcgocall that C functions return to. Source: src/runtime/asm_amd64.s;
/// since 1.22 it calls through asmcgocall_landingpad. Empty where it cannot be found.
std::vector<Address> returns_from_c(const MemoryReader& memory, const GoRuntime& runtime);

}  // namespace cgo
