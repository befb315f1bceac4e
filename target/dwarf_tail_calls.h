#pragma once

#include "target/dwarf_call_site.h"

namespace cgo {

/// DwarfInfo::tail_calls.
Result<std::vector<SourceFrame>> find_tail_calls(const DwarfCode& code,
                                                 const DwarfFunctionsNamed& functions_named,
                                                 Address return_pc, Address callee_entry);

/// DwarfInfo::tail_calls_from.
Result<std::vector<SourceFrame>> find_tail_calls_from(const DwarfCode& code,
                                                      const DwarfFunctionsNamed& functions_named,
                                                      Address called_entry, Address callee_entry);

}  // namespace cgo
