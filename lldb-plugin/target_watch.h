#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <memory>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/newer_api.h"

namespace cgo {

/// Registers the frame provider with every target of a debugger that has Go code, for as long as
/// the debugger lives; follows the setting native-bt. Does nothing where LLDB has no frame
/// providers. Once for a debugger; more calls change nothing.
void watch_targets(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

/// The API lock of a target (by NewerApi::target_number), for a frame provider that was just
/// called. LLDB calls it with the lock of the thread's frames held and any API of LLDB takes the
/// target's: while a step waits with the target's lock for a thread that waits for the frames,
/// asking anything would never end. Null when it cannot be had soon: LLDB's own frames have to be
/// shown then.
std::unique_ptr<TargetLock> lock_for_provider(std::uint64_t target_number);

/// Whether this is LLDB's thread that handles stops. Frames made there are for stepping; the holder
/// of a target's lock may be waiting for it.
bool on_thread_that_handles_stops();

}  // namespace cgo
