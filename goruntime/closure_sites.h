#pragma once

#include <optional>
#include <vector>

#include "goruntime/go_runtime.h"
#include "target/byte_view.h"

namespace cgo {

/// Descriptors of the structures that amd64 code at `at` allocates with `allocator` and makes
/// closures of the function at `closure`. Found by the encoding of the instructions that
/// cmd/compile writes for it: check what they lead to.
/// Source: src/cmd/compile/internal/walk/closure.go, walkClosure (1.19 to 1.27): the structure is
/// allocated, and its first word set at once.
std::vector<Address> closure_descriptors_amd64(ByteView code, Address at, Address closure,
                                               Address allocator);

/// The descriptor of the structure that closures of `function` are: its code's address, then what
/// they captured. Told by the function around it, where that makes one on the heap. Nothing where
/// none is found, or several that differ.
std::optional<Address> closure_descriptor(const MemoryReader& memory, const GoRuntime& runtime,
                                          const GoFunction& function);

}  // namespace cgo
