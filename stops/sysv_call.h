#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "target/type.h"

namespace cgo {

/// Where a call on amd64 passes one value, at the first instruction of what is called.
/// Source: System V ABI, AMD64 supplement, section 3.2.3 (Parameter Passing).
struct PassedValue {
  enum class Place : std::uint8_t { integer_register, sse_register };
  struct Part {
    Place place = Place::integer_register;
    unsigned index = 0;  ///< 0 is rdi (of a result: rax), or xmm0.
  };
  std::vector<Part> parts;                    ///< Eight bytes each, in order; empty: on the stack.
  std::optional<std::uint64_t> stack_offset;  ///< From the stack pointer at the first instruction.
};

/// Where arguments of these types are; nothing for one whose class is not known (x87 values within
/// structures, incomplete types), and for all behind it. `result_in_memory`: the first integer
/// register says where the result goes.
std::vector<std::optional<PassedValue>> passed_arguments(std::span<const Type* const> types,
                                                         bool result_in_memory);

/// Where a result of this type is at the return; nothing for what is returned in memory.
std::optional<PassedValue> passed_result(const Type& type);

}  // namespace cgo
