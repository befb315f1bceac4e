#pragma once

#include <functional>
#include <vector>

#include "crossings/code_bytes.h"
#include "goruntime/pclntab.h"

namespace cgo {

/// A direct call in Go code.
struct DirectCall {
  Address at;  ///< Of the call instruction.
  Address target;
  GoFunction function;  ///< That has the instruction.
};

/// All direct calls in the module's code to one of `targets`, by address. Each is proven to be an
/// instruction by decoding its function from the entry on.
std::vector<DirectCall> direct_calls(const GoModule& module, const CodeBytes& code,
                                     std::vector<Address> targets);

}  // namespace cgo
