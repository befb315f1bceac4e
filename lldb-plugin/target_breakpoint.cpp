#include "lldb-plugin/target_breakpoint.h"

#include <fmt/format.h>

#include "lldb-plugin/newer_api.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr auto kPatience = std::chrono::seconds(3);

}  // namespace

TargetBreakpoint::Outcome TargetBreakpoint::arrived(Sessions& sessions, lldb::SBFrame frame,
                                                    lldb::SBBreakpointLocation location) try {
  if (ended_) return {.stops = true};
  lldb::SBThread thread = frame.GetThread();
  lldb::SBProcess process = thread.GetProcess();
  const TargetLock lldb_lock(process.GetTarget(), kPatience);
  const auto session = sessions.use(process);
  const std::lock_guard lock(mutex_);
  if (!process_.IsValid() || process_.GetUniqueID() != process.GetUniqueID()) {
    process_ = process;
    begin_process();
  }
  const auto stop = session->stop();
  // What cannot be decided stops: to go on would be a silent answer.
  Outcome outcome =
      stop ? decide({frame, location, *stop})
           : Outcome{.stops = true,
                     .text = fmt::format("cgo break: what this stop is cannot be told: {}\n",
                                         escaped(stop.error().message))};
  // Of several threads that arrive at once LLDB may select one that was no hit.
  if (outcome.stops) process.SetSelectedThread(thread);
  say(process.GetTarget().GetDebugger(), outcome.text);
  return outcome;
} catch (const std::exception& error) {
  say(frame.GetThread().GetProcess().GetTarget().GetDebugger(),
      std::string("cgo break: an internal error: ") + error.what() + "\n");
  return {.stops = true};
}

StackOwner owner_of(lldb::SBThread thread) {
  return {.thread = ThreadInfo{.tid = thread.GetThreadID(), .index = thread.GetIndexID()}};
}

void say(lldb::SBDebugger debugger, const std::string& text) {
  std::size_t written = 0;
  if (text.empty()) return;
  debugger.GetOutputFile().Write(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                 &written);
  debugger.GetOutputFile().Flush();
}

std::uint64_t TargetBreakpoints::add(std::shared_ptr<TargetBreakpoint> breakpoint) {
  const std::lock_guard lock(mutex_);
  all_[next_].breakpoint = std::move(breakpoint);
  return next_++;
}

std::shared_ptr<TargetBreakpoint> TargetBreakpoints::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(number);
  return found == all_.end() ? nullptr : found->second.breakpoint;
}

void TargetBreakpoints::belongs_to(std::uint64_t number, lldb::SBTarget target,
                                   lldb::break_id_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(number);
  if (found == all_.end()) return;
  found->second.target = target;
  found->second.id = id;
}

std::shared_ptr<TargetBreakpoint> TargetBreakpoints::of_lldb(lldb::SBTarget target,
                                                             lldb::break_id_t id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, known] : all_)
    if (known.id == id && known.target == target) return known.breakpoint;
  return nullptr;
}

void TargetBreakpoints::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  all_.erase(number);
}

}  // namespace cgo
