#pragma once

#include <lldb/API/LLDB.h>

#include <memory>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/crossing_breakpoint.h"
#include "lldb-plugin/lldb_value_naming.h"
#include "lldb-plugin/session.h"
#include "lldb-plugin/settings.h"

namespace cgo {

/// A trace, the one that runs or the last one.
struct RunningTrace {
  std::shared_ptr<TraceLog> log;  ///< Null before the first one.
  std::shared_ptr<CrossingBreakpoint> crossings;
  lldb::SBBreakpoint breakpoint;
  std::optional<lldb::SBBreakpoint> libraries;  ///< That of dlopen and its like.
  bool runs = false;
};

/// What lives as long as the debugger process: shared by all its debuggers.
struct Plugin {
  Sessions sessions;
  Settings settings;
  GivenNames names;  ///< Used with `sessions` locked.
  TargetBreakpoints breakpoints;
  CrossingFiles crossings;
  RunningTrace trace;  ///< Used by commands alone.
};

/// What commands that change LLDB's own selection use besides.
struct LldbContext {
  lldb::SBDebugger debugger;
  lldb::SBThread thread;
  Session& session;
  const Settings& settings;
};

/// Takes over what `up`, `frame select` or an editor has selected since the last command.
void follow_native_selection(LldbContext& context);
Answer run_frame(LldbContext& context, const CommandLine& line);
Answer run_up(LldbContext& context, const CommandLine& line);
Answer run_down(LldbContext& context, const CommandLine& line);
/// On the selected target, with or without a process.
Answer run_break(Plugin& plugin, lldb::SBDebugger debugger, const CommandLine& line);
Answer run_trace(Plugin& plugin, lldb::SBDebugger debugger, const CommandLine& line);
/// `cgo heap track`: on the selected target, with or without a process.
Answer run_track(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                 const CommandLine& line);

/// A breakpoint on crossings, as LLDB has it and as it was made.
struct SetBreakpoint {
  lldb::SBBreakpoint lldb;
  std::shared_ptr<CrossingBreakpoint> crossings;  ///< Null for other kinds.
  std::uint64_t number = 0;                       ///< In Plugin::breakpoints.
};
Result<SetBreakpoint> set_crossing_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                              CrossingRequest request);
/// One whose arrivals a script is told of and decides on; `words` as `cgo break` takes them.
Result<SetBreakpoint> set_telling_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                             const std::vector<std::string>& words);
Answer run_set(Settings& settings, const CommandLine& line);

/// Runs any command of the table on a process of LLDB, with the locks it needs. Never throws.
Answer run_in_lldb(Plugin& plugin, lldb::SBDebugger debugger, lldb::SBProcess process,
                   const CommandLine& line, bool colour);

/// Adds "cgo" with every command of the table to a debugger; nothing when it is there already.
/// False when LLDB refuses.
bool add_commands(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin);

}  // namespace cgo
