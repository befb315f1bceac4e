#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/pclntab.h"

namespace cgo {

/// Where a parameter of a Go function is in memory, for the runtime's tracebacks: its place on the
/// caller's stack, or the place where one that came in registers is put when they are needed.
struct ArgumentSlot {
  /// A word of it, or less: what one register brings.
  struct Part {
    std::uint64_t offset = 0, bytes = 0;  ///< From the CFA.
    bool live = false;
  };
  std::uint64_t offset = 0;  ///< From the CFA.
  std::uint64_t bytes = 0;   ///< To the end of the last part that is told.
  bool live = false;         ///< It holds the parameter at the pc; otherwise it may hold anything.
  std::vector<Part> parts;   ///< In order, as far as they are told.
};

/// The slots of the parameters of `function` in order, receiver first, the dictionary of a generic
/// function left out; nothing for one without a part in memory. The list ends early where the
/// runtime's table does (after ten parts), so that `complete` is false; so it is for methods of
/// generic types, of which the table leaves out the wrong parameter. Empty without a table.
struct ArgumentSlots {
  std::vector<std::optional<ArgumentSlot>> parameters;
  bool complete = true;
};
ArgumentSlots argument_slots(const GoFunction& function, Address pc);

}  // namespace cgo
