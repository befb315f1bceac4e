#include "lldb-plugin/fault_breakpoint.h"

#include <map>

#include "lldb-plugin/frame_registers.h"
#include "unwind/format.h"

namespace cgo {

bool FaultBreakpoint::was_passed_on(const Visited& at) {
  lldb::SBFrame frame = at.frame;
  const Arrival now{.process = process().GetUniqueID(),
                    .tid = at.thread().GetThreadID(),
                    .sp = frame.GetSP(),
                    .argument = register_of(frame, "rdi").value_or(0),
                    .pc = frame.GetPC()};
  const bool same = last_ && last_->process == now.process && last_->tid == now.tid &&
                    last_->sp == now.sp && last_->argument == now.argument && last_->pc != now.pc;
  if (same)
    last_.reset();
  else
    last_ = now;
  return same;
}

TargetBreakpoint::Outcome FaultBreakpoint::shown(std::string text,
                                                 const CollectedStack& stack) const {
  if (!request_.log) text += format_stack(stack.stack, {});
  return {.stops = !request_.log, .text = std::move(text), .event = {}};
}

std::vector<std::uint64_t> FaultBreakpoint::sites_in(lldb::SBModule module,
                                                     std::initializer_list<const char*> names) {
  std::map<std::uint64_t, ArrivalSite> found;
  for (const char* name : names) {
    lldb::SBSymbolContextList all = module.FindSymbols(name, lldb::eSymbolTypeCode);
    for (std::uint32_t i = 0; i < all.GetSize(); ++i) {
      const lldb::SBAddress entry = all.GetContextAtIndex(i).GetSymbol().GetStartAddress();
      found.try_emplace(lldb::SBAddress(entry).GetFileAddress(), arrival_site(entry));
    }
  }
  std::vector<ArrivalSite> sites;
  for (const auto& [address, site] : found) sites.push_back(site);
  const std::lock_guard lock(mutex_);
  return sites_.set(module, std::move(sites));
}

}  // namespace cgo
