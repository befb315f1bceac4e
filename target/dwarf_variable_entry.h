#pragma once

#include "target/dwarf_type_store.h"
#include "target/variables.h"

namespace cgo {

/// An attribute's value with the unit that says what it means: an entry's origin may be in another.
struct DwarfUnitValue {
  const DwarfUnit* unit = nullptr;
  DwarfValue value;

  explicit operator bool() const { return static_cast<bool>(value); }
};

/// What the entry of a variable and the entries it is an instance of say together.
struct DwarfVariableEntry {
  DwarfPlace root;  ///< The last of its origins: equal for all instances of one variable.
  DwarfUnitValue name, type, location, constant, start_scope, closure_offset;
  std::uint32_t declared_line = 0;
  bool artificial = false, declaration = false, result = false;

  static Result<DwarfVariableEntry> read(DwarfPlace place);

  /// The variable as it is at `pc`. `budget`: see location_at.
  Variable variable(const DwarfTypes& types, Address pc, std::uint64_t& budget) const;
};

}  // namespace cgo
