#pragma once

#include <lldb/API/LLDB.h>

#include <memory>

#include "lldb-plugin/lldb_commands.h"

namespace cgo {

/// Makes it a breakpoint of LLDB's in a target, with locations in the modules that are there and
/// in those that come.
Result<SetBreakpoint> give_to_lldb(Plugin& plugin, lldb::SBTarget target,
                                   const std::shared_ptr<TargetBreakpoint>& made);

/// One that logs what binds libraries: see LibraryBreakpoint.
Result<SetBreakpoint> set_library_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                             std::shared_ptr<TraceLog> log);
/// Whether a trace logs that too: where it is about all crossings, or asked to.
bool traces_libraries(const CommandLine& line, bool all_crossings);

/// A command line that sets none, and one that LLDB does not take.
Failure wrong_breakpoint(std::string why, std::string hint);
Failure not_taken(const Error& error);

/// "Breakpoint 1: 2 locations": what LLDB made of it.
std::string format_locations(lldb::SBBreakpoint breakpoint);

/// `cgo break exception` and its like; nothing where the word is none of them.
std::optional<Answer> break_fault(Plugin& plugin, lldb::SBTarget target, const CommandLine& line);
/// `cgo break leak` and its like.
std::optional<Answer> break_memory(Plugin& plugin, lldb::SBTarget target, const CommandLine& line);

}  // namespace cgo
