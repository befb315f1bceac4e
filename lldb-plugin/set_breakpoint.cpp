#include "lldb-plugin/set_breakpoint.h"

#include <fmt/format.h>

#include "lldb-plugin/library_breakpoint.h"
#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

constexpr const char* kResolver = "lldb_cgo_breaks.CgoCrossing";

/// For an LLDB whose resolvers are not asked at arrivals. Kept for ever: LLDB has its address.
struct CallbackBaton {
  Plugin* plugin;  // Of the whole debugger process.
  std::shared_ptr<TargetBreakpoint> breakpoint;
};

bool called_back(void* baton, lldb::SBProcess&, lldb::SBThread& thread,
                 lldb::SBBreakpointLocation& location) {
  const auto& known = *static_cast<CallbackBaton*>(baton);
  return known.breakpoint->arrived(known.plugin->sessions, thread.GetFrameAtIndex(0), location)
      .stops;
}

}  // namespace

Result<SetBreakpoint> give_to_lldb(Plugin& plugin, lldb::SBTarget target,
                                   const std::shared_ptr<TargetBreakpoint>& made) {
  SetBreakpoint out{.number = plugin.breakpoints.add(made)};
  lldb::SBStructuredData arguments;
  arguments.SetFromJSON(fmt::format(R"({{"number":{}}})", out.number).c_str());
  lldb::SBFileSpecList modules, files;
  out.lldb = target.BreakpointCreateFromScript(kResolver, arguments, modules, files);
  if (!out.lldb.IsValid()) {
    plugin.breakpoints.remove(out.number);
    return Error{ErrorCode::unsupported, "LLDB did not take it"};
  }
  plugin.breakpoints.belongs_to(out.number, target, out.lldb.GetID());
  if (!NewerApi::asks_resolvers_at_hits())
    out.lldb.SetCallback(called_back, new CallbackBaton{&plugin, made});
  return out;
}

Result<SetBreakpoint> set_library_breakpoint(Plugin& plugin, lldb::SBTarget target,
                                             std::shared_ptr<TraceLog> log) {
  return give_to_lldb(plugin, target, std::make_shared<LibraryBreakpoint>(std::move(log)));
}

bool traces_libraries(const CommandLine& line, bool all_crossings) {
  return all_crossings || line.has("--dl");
}

Failure wrong_breakpoint(std::string why, std::string hint) {
  return {"no breakpoint was set", std::move(why), std::move(hint), ExitStatus::bad_arguments};
}

Failure not_taken(const Error& error) {
  return {"no breakpoint was set", error.message, "'script 1' shows whether LLDB has Python",
          ExitStatus::no_target};
}

std::string format_locations(lldb::SBBreakpoint breakpoint) {
  const std::size_t count = breakpoint.GetNumLocations();
  return fmt::format("Breakpoint {}: {} location{}\n", breakpoint.GetID(), count,
                     count == 1 ? "" : "s");
}

}  // namespace cgo
