#include "lldb-plugin/target_breakpoint.h"

namespace cgo {

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
