#pragma once

#include <array>
#include <span>

#include "goruntime/layout.h"

namespace cgo {

/// One row of the table of measured layouts.
struct VersionedLayout {
  GoVersion first, last;  ///< Both measured, and what lies between was checked for drift.
  GLayout g;
  MLayout m;
  ModuleDataLayout moduledata;
};

/// All rows, ordered by version, without overlap.
std::span<const VersionedLayout> layout_rows_amd64();

}  // namespace cgo
