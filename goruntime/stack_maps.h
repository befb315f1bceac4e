#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "goruntime/pclntab.h"

namespace cgo {

/// A variable on a stack whose address is taken: it holds others only while something points to it.
struct StackObject {
  std::int32_t offset = 0;  ///< From the end of the locals when negative, else from the arguments.
  std::uint32_t bytes = 0;
  std::uint64_t pointer_bytes = 0;
  bool is_program = false;        ///< Its mask is a bit program; up to 1.23.
  std::uint32_t mask_offset = 0;  ///< Of the mask, from moduledata.rodata.
};

/// What the compiler says of the words of a frame at one place in a function.
struct StackMap {
  std::vector<bool> locals;     ///< The last words below the end of the locals.
  std::vector<bool> arguments;  ///< From the first word of the arguments on.
  std::vector<StackObject> objects;
};

/// The map for `pc`, where the frame goes on: a return address, or where an interrupted function
/// was stopped on purpose. `has_locals`: the frame has more than a return address and a saved frame
/// pointer. malformed_data where the function has no map for its words.
/// Source: src/runtime/stkframe.go, getStackMap (stack.go before 1.20); src/internal/abi/symtab.go.
Result<StackMap> stack_map_at(const GoFunction& function, Address pc, bool has_locals);

}  // namespace cgo
