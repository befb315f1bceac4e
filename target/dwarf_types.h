#pragma once

#include "target/dwarf.h"
#include "target/dwarf_unit.h"

namespace cgo {

/// The structure defined at `place` (or by the typedef there), with its members.
Result<DwarfStruct> read_struct(DwarfPlace place);

/// The bytes a value of the type at `place` takes; 0 when DWARF does not say.
Result<std::uint64_t> type_bytes(DwarfPlace place);

}  // namespace cgo
