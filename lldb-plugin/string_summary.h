#pragma once

#include <lldb/API/LLDB.h>

namespace cgo {

/// Makes LLDB show the "$string" structures that stand for Go's strings as their text.
void show_strings(lldb::SBDebugger debugger);

}  // namespace cgo
