#pragma once

#include <lldb/API/LLDB.h>

#include <memory>

#include "lldb-plugin/activity.h"

namespace cgo {

/// Progress through LLDB's events, interrupts through LLDB.
std::unique_ptr<Activity> lldb_activity(lldb::SBDebugger debugger);

}  // namespace cgo
