#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_version.h"
#include "target/arch.h"
#include "target/dwarf.h"
#include "target/result.h"

namespace cgo {

/// Bytes from the start of a structure of the Go runtime.
struct FieldOffset {
  std::uint32_t bytes = 0;
  friend bool operator==(FieldOffset, FieldOffset) = default;
};
/// A field that some releases do not have.
using OptionalField = std::optional<FieldOffset>;

/// runtime.g, with runtime.gobuf and runtime.stack folded in.
struct GLayout {
  std::uint32_t bytes = 0;  ///< Size of the structure, so that one read gets all fields.
  FieldOffset stack_lo, stack_hi, m, sched_sp, sched_pc, sched_bp;
  FieldOffset syscallsp, syscallpc;
  OptionalField syscallbp;  ///< Since Go 1.23.
  FieldOffset atomicstatus, goid, waitsince, waitreason, lockedm, gopc, startpc, labels;
  OptionalField parent_goid;  ///< Since Go 1.21.
  friend bool operator==(const GLayout&, const GLayout&) = default;
};

/// runtime.m.
struct MLayout {
  std::uint32_t bytes = 0;
  FieldOffset g0, procid, gsignal, curg, id, incgo, ncgo, alllink, lockedg, vdso_sp, vdso_pc;
  OptionalField isextra, is_extra_in_c;  ///< Since Go 1.21.
  friend bool operator==(const MLayout&, const MLayout&) = default;
};

/// runtime.moduledata. The fields up to ebss lie at the same place in every supported release.
struct ModuleDataLayout {
  FieldOffset types, etypes, gofunc, textsectmap, pluginpath, next;
  friend bool operator==(const ModuleDataLayout&, const ModuleDataLayout&) = default;
};

/// All that is needed of the structures of one build of the Go runtime.
struct RuntimeLayout {
  enum class Source : std::uint8_t { dwarf, table };
  GLayout g;
  MLayout m;
  ModuleDataLayout moduledata;
  Source source = Source::table;
  /// The table's row was measured on an older patch release: use it only where memory confirms it.
  bool newer_than_measured = false;
};

/// Measured layout of a release; unsupported outside the minor releases of the table. For a patch
/// release newer than the measured ones it is that of the last one, marked as such.
Result<RuntimeLayout> layout_from_table(GoVersion version, const ArchInfo& arch);

/// The layout the binary's own debug information gives. not_found when Go's DWARF was stripped;
/// malformed_data when a field that every release has is missing.
Result<RuntimeLayout> layout_from_dwarf(const DwarfInfo& dwarf);

/// What `have` says otherwise than `want`, one line each ("runtime.g.goid is at 168, expected at
/// 152"); empty when they agree.
std::vector<std::string> layout_differences(const RuntimeLayout& have, const RuntimeLayout& want);

}  // namespace cgo
