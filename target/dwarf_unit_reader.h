#pragma once

#include <memory>

#include "target/dwarf_file.h"

namespace cgo {

/// Where a split unit's parts of the package's sections begin. All zero outside of packages.
struct DwarfContributions {
  std::uint64_t abbrev = 0, str_offsets = 0, rnglists = 0, loclists = 0, loc = 0;
};

/// Reads a unit's own entry.
struct DwarfUnitReader {
  const DwarfFile& file;

  /// `skeleton` is the unit of the executable that a split unit belongs to, else null.
  Result<std::unique_ptr<const DwarfUnit>> read(const DwarfUnitHeader& header,
                                                const DwarfUnit* skeleton,
                                                const DwarfContributions& starts) const;
};

}  // namespace cgo
