// What LLDB's own breakpoint callback in C++ costs: counts arrivals and goes on.
// Usage: callback_hits PROGRAM COUNT REGEX
#include <lldb/API/LLDB.h>

#include <cstdio>

namespace {

bool count(void* baton, lldb::SBProcess&, lldb::SBThread&, lldb::SBBreakpointLocation&) {
  ++*static_cast<long*>(baton);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  lldb::SBDebugger::Initialize();
  lldb::SBDebugger debugger = lldb::SBDebugger::Create(false);
  debugger.SetAsync(false);
  debugger.HandleCommand("process handle SIGURG --pass true --stop false --notify false");
  lldb::SBTarget target = debugger.CreateTarget(argv[1]);
  lldb::SBBreakpoint breakpoint = target.BreakpointCreateByRegex(argv[3]);
  long hits = 0;
  breakpoint.SetCallback(count, &hits);
  const char* words[] = {argv[2], nullptr};
  lldb::SBLaunchInfo launch(words);
  lldb::SBError error;
  lldb::SBProcess process = target.Launch(launch, error);
  std::printf("hits %ld, exit %d\n", hits, process.GetExitStatus());
  return error.Success() && process.GetState() == lldb::eStateExited ? 0 : 1;
}
