#pragma once

#include <functional>

#include "target/dwarf_code.h"

namespace cgo {

/// All entry points of functions with a name, for calls that leave their unit.
using DwarfFunctionsNamed =
    std::function<Result<std::vector<Address>>(std::string_view linkage_or_name)>;

/// The entry points that the function at `callee`, as a caller in `unit` sees it, may have.
Result<std::vector<Address>> call_targets(const DwarfCode& code,
                                          const DwarfFunctionsNamed& functions_named,
                                          const DwarfUnit& unit, DwarfPlace callee);

/// DwarfInfo::tail_calls.
Result<std::vector<SourceFrame>> find_tail_calls(const DwarfCode& code,
                                                 const DwarfFunctionsNamed& functions_named,
                                                 Address return_pc, Address callee_entry);

/// DwarfInfo::tail_calls_from.
Result<std::vector<SourceFrame>> find_tail_calls_from(const DwarfCode& code,
                                                      const DwarfFunctionsNamed& functions_named,
                                                      Address called_entry, Address callee_entry);

}  // namespace cgo
