#pragma once

#include "goruntime/layout.h"

namespace cgo {

/// How a release of the runtime keeps panics and the calls that are deferred.
struct DeferLayout {
  FieldOffset g_panic, g_defer;                  ///< runtime.g
  FieldOffset sp, pc, fn, link;                  ///< runtime._defer
  OptionalField started, open_coded;             ///< runtime._defer, up to Go 1.21.
  OptionalField rangefunc, head;                 ///< runtime._defer, since Go 1.22.
  FieldOffset panic_arg, panic_link, is_goexit;  ///< runtime._panic
  friend bool operator==(const DeferLayout&, const DeferLayout&) = default;
};

/// The layout the binary's debug information gives; not_found where Go's was stripped.
Result<DeferLayout> defer_layout_from_dwarf(const DwarfInfo& dwarf);
/// The measured one of a release; unsupported outside of 1.19 to 1.27.
Result<DeferLayout> defer_layout_from_table(GoVersion version);

}  // namespace cgo
