#include "goruntime/pc_value.h"

namespace cgo {
namespace {

/// A varint of at most 32 bits at `at`; nothing when it is longer or cut.
std::optional<std::uint32_t> take_varint(std::span<const std::byte> bytes, std::size_t& at) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at >= bytes.size()) return std::nullopt;
    const auto byte = std::to_integer<std::uint32_t>(bytes[at++]);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int32_t> pc_value_at(std::span<const std::byte> table, std::uint64_t pc_offset,
                                        std::uint32_t minimum_instruction_bytes) {
  std::uint32_t value = static_cast<std::uint32_t>(-1);
  std::uint64_t end_of_run = 0;
  std::size_t at = 0;
  // Every turn eats at least two bytes of `table`, so this ends.
  while (true) {
    const bool first = at == 0;
    const auto value_delta = take_varint(table, at);
    if (!value_delta || (*value_delta == 0 && !first)) return std::nullopt;
    const auto pc_delta = take_varint(table, at);
    if (!pc_delta) return std::nullopt;
    // Zigzag; unsigned, because a damaged table may wrap.
    value += (*value_delta >> 1) ^ (0u - (*value_delta & 1));
    end_of_run += std::uint64_t{*pc_delta} * minimum_instruction_bytes;
    if (pc_offset < end_of_run) return static_cast<std::int32_t>(value);
  }
}

}  // namespace cgo
