#pragma once

#include "support/go_program_builder.h"

namespace cgo {

// One goroutine on one m, and the runtime functions whose code tells where the variables that lead
// to them lie: what a stripped program needs to be read.

/// Offsets for GoProgramBuilder::variable.
inline constexpr std::uint64_t kAllgsVariable = 0x10, kAllmVariable = 0x40, kReasonsVariable = 0x80;
inline constexpr Address kG{0xc000002000}, kG0{0xc000003000}, kM{0xc000100000};

/// As all supported releases have them, as far as operands go.
void add_runtime_functions(GoProgramBuilder& program);
void add_runtime_state(const GoProgramBuilder& program, MemoryImage& memory);

}  // namespace cgo
