#pragma once

#include "target/dwarf_type_store.h"
#include "target/variables.h"

namespace cgo {

/// DwarfInfo::scopes_at.
Result<std::vector<Scope>> find_scopes(const DwarfCode& code, const DwarfTypes& types, Address pc);

/// The variable whose entry is at `place`, as it is at `pc` (which a variable outside of functions
/// does not need). What cannot be read of it is its error.
Variable read_variable(const DwarfTypes& types, DwarfPlace place, Address pc);

}  // namespace cgo
