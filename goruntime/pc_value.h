#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace cgo {

/// The value a pc-value table of pclntab has at `pc_offset` bytes from the function's entry, or
/// nothing when the table is damaged or does not reach that far. `table` starts at the table's
/// first byte and may reach past its end. Source: src/runtime/symtab.go, pcvalue and step.
std::optional<std::int32_t> pc_value_at(std::span<const std::byte> table, std::uint64_t pc_offset,
                                        std::uint32_t minimum_instruction_bytes);

}  // namespace cgo
