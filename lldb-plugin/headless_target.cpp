#include "lldb-plugin/headless_target.h"

#include <signal.h>

#include <cstdio>
#include <limits>

#include "lldb-plugin/local_process.h"

namespace cgo {
namespace {

/// What the kernel knows of why attaching failed, beside LLDB's own words.
std::string who_traces(pid_t pid) {
  const auto process = local_process(pid);
  if (!process || process->tracer == 0) return "";
  const auto tracer = local_process(process->tracer);
  return "process " + std::to_string(process->tracer) + (tracer ? " (" + tracer->name + ")" : "") +
         " traces it already; ";
}

}  // namespace

QuietDebugger::QuietDebugger() {
  lldb::SBDebugger::Initialize();
  debugger_ = lldb::SBDebugger::Create(false);
  debugger_.SetAsync(false);
  if (std::FILE* nowhere = std::fopen("/dev/null", "r+")) {
    debugger_.SetOutputFileHandle(nowhere, false);
    debugger_.SetErrorFileHandle(nowhere, true);
  }
}

std::string words_of(lldb::SBError error) {
  const char* text = error.GetCString();
  return text == nullptr ? "LLDB does not say" : text;
}

Result<lldb::SBProcess> attach(lldb::SBDebugger debugger, std::uint64_t number) {
  const auto before = number == 0 || number > std::numeric_limits<pid_t>::max()
                          ? std::nullopt
                          : local_process(static_cast<pid_t>(number));
  const std::string name = "process " + std::to_string(number);
  if (!before) return Error{ErrorCode::not_found, "there is no " + name};
  if (before->ended())
    return Error{ErrorCode::not_found, name + " has ended; its parent has not noticed yet"};
  lldb::SBTarget target = debugger.CreateTarget("");
  lldb::SBError error;
  lldb::SBAttachInfo info(static_cast<lldb::pid_t>(number));
  lldb::SBProcess process = target.Attach(info, error);
  const auto pid = static_cast<pid_t>(number);
  if (error.Fail() || !process.IsValid())
    return Error{ErrorCode::io_failure,
                 "attaching failed: " +
                     (process_has_ended(pid) ? "the process has ended; " : who_traces(pid)) +
                     words_of(error)};
  return process;
}

void detach(lldb::SBProcess process, bool was_frozen) {
  const auto pid = static_cast<pid_t>(process.GetProcessID());
  const auto now = local_process(pid);
  process.Detach();
  if (was_frozen && now && !now->to_continue) kill(pid, SIGSTOP);
}

Failure not_opened(const Error& error) {
  return {"cannot open the target", error.message,
          "check the number or file, and the right to trace it (ptrace_scope, root)"};
}

}  // namespace cgo
