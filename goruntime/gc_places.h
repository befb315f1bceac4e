#pragma once

#include <string>
#include <vector>

#include "goruntime/gc_layout.h"
#include "goruntime/go_runtime.h"
#include "target/image.h"

namespace cgo {

/// Where the variables lie that lead to the heap and to what holds it; 0 for those that were not
/// found, or that a release does not have.
struct GcPlaces {
  Address mheap;
  Address finalizer_blocks;  ///< runtime.allfin.
  Address cleanup_blocks;    ///< runtime.gcCleanups.all; since 1.25.
  Address allp;
  /// Those that several variables could be. One that is not found and not among these holds
  /// nothing: a queue that nothing was ever put into.
  std::vector<std::string> unknown;
  std::vector<std::string> notes;  ///< How each was found, or what was tried.
};

/// Finds them by symbol, or in a stripped binary from the operands of runtime functions that use
/// them. An address that comes from code is believed only where memory there looks as it must.
GcPlaces find_gc_places(const MemoryReader& memory, const ImageMap& images,
                        const GoRuntime& runtime, const GcLayout& layout);

}  // namespace cgo
