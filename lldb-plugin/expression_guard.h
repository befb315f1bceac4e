#pragma once

#include <lldb/API/LLDB.h>

namespace cgo {

/// Has `p` and `expression` in C frames that come from a frame provider answered by `cgo print`:
/// LLDB 22 crashes when an expression has a name there.
void guard_expressions(lldb::SBDebugger debugger);

}  // namespace cgo
