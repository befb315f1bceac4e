#pragma once

#include <vector>

#include "target/dwarf_unit.h"

namespace cgo {

/// The attributes that say which code an entry covers.
struct DwarfPcAttributes {
  DwarfValue low, high, ranges, entry;

  /// Keeps `value` if it is one of them.
  void take(std::uint16_t name, const DwarfValue& value);
  explicit operator bool() const { return low || ranges; }
};

/// Appends the code ranges (file addresses) that `pc` names to `out`; empty ones are left out. Each
/// entry of a list costs one of `budget`, so that many entries that share a long list cannot take
/// for ever; limit_reached when it is used up.
Result<void> append_ranges(const DwarfUnit& unit, const DwarfPcAttributes& pc,
                           std::uint64_t& budget, std::vector<AddressRange>& out);

}  // namespace cgo
