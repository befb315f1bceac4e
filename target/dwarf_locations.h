#pragma once

#include "target/dwarf_unit.h"
#include "target/variables.h"

namespace cgo {

/// The expression that the location `value` (an expression or a list of them) has at the file
/// address `pc`; empty when the list has none there. Each entry of a list costs one of `budget`;
/// limit_reached when it is used up.
Result<DwarfExpression> location_at(const DwarfUnit& unit, const DwarfValue& value, Address pc,
                                    std::uint64_t& budget);

}  // namespace cgo
