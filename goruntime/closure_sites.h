#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/byte_view.h"

namespace cgo {

/// What code that allocates a structure says of it.
struct ClosureAllocation {
  Address descriptor;       ///< 0: not told, because there is no pointer in it.
  std::uint64_t bytes = 0;  ///< 0: not told.

  bool operator==(const ClosureAllocation&) const = default;
};

/// Functions of the runtime that allocate.
struct ClosureAllocators {
  Address newobject;
  /// Whether one allocates for structures of a certain size only, since Go 1.27.
  std::function<bool(Address)> has_one_size;
};

/// The structures that amd64 code at `at` allocates and makes closures of the function at
/// `closure`. Found by the encoding of the instructions that cmd/compile writes for it: check what
/// they lead to. Source: src/cmd/compile/internal/walk/closure.go, walkClosure (1.19 to 1.27): the
/// structure is allocated, and its first word set at once; ssagen/ssa.go, specializedMallocSym
/// (1.27).
std::vector<ClosureAllocation> closure_allocations_amd64(ByteView code, Address at, Address closure,
                                                         const ClosureAllocators& allocators);

/// The structure that closures of `function` are: its code's address, then what they captured. Told
/// by the function around it, where that makes one on the heap. Nothing where none is found, or
/// several that differ.
std::optional<ClosureAllocation> closure_allocation(const MemoryReader& memory,
                                                    const GoRuntime& runtime,
                                                    const GoFunction& function);

}  // namespace cgo
