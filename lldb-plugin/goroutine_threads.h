#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lldb-plugin/lldb_commands.h"

namespace cgo {

/// A goroutine that LLDB lists as a thread. Its number lies above those of the operating system.
struct GoroutineThread {
  std::uint64_t tid = 0;
  std::string name;
  Address pc, sp, bp;
};

constexpr std::uint64_t kFirstGoroutineTid = std::uint64_t{1} << 32;

/// The goroutine behind such a number; nothing for a thread of the operating system.
std::optional<std::uint64_t> goroutine_of_tid(std::uint64_t tid);

/// The goroutines to list at this stop: the first ones that no thread runs, as many as the setting
/// says. Runs while LLDB makes its list of threads, so threads are not asked for.
std::vector<GoroutineThread> goroutine_threads(Plugin& plugin, lldb::SBProcess process);

/// Makes the debugger follow the setting goroutine-threads.
void follow_goroutine_threads(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

}  // namespace cgo
