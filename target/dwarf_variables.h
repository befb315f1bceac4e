#pragma once

#include "target/dwarf_tail_calls.h"
#include "target/dwarf_type_store.h"
#include "target/variables.h"

namespace cgo {

/// DwarfInfo::scopes_at.
Result<std::vector<Scope>> find_scopes(const DwarfCode& code, const DwarfTypes& types, Address pc);

/// The variable whose entry is at `place`, as it is at `pc` (which a variable outside of functions
/// does not need). What cannot be read of it is its error.
Variable read_variable(const DwarfTypes& types, DwarfPlace place, Address pc);

/// DwarfInfo::call_site.
Result<CallSite> find_call_site(const DwarfCode& code, const DwarfFunctionsNamed& functions_named,
                                Address return_pc);

}  // namespace cgo
