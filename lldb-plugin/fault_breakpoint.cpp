#include "lldb-plugin/fault_breakpoint.h"

#include <set>

#include "unwind/format.h"

namespace cgo {

TargetBreakpoint::Outcome FaultBreakpoint::shown(std::string text,
                                                 const CollectedStack& stack) const {
  if (!request_.log) text += format_stack(stack.stack, {});
  return {.stops = !request_.log, .text = std::move(text), .event = {}};
}

std::vector<std::uint64_t> functions_named(lldb::SBModule module,
                                           std::initializer_list<const char*> names) {
  std::set<std::uint64_t> out;
  for (const char* name : names) {
    lldb::SBSymbolContextList found = module.FindSymbols(name, lldb::eSymbolTypeCode);
    for (std::uint32_t i = 0; i < found.GetSize(); ++i)
      out.insert(found.GetContextAtIndex(i).GetSymbol().GetStartAddress().GetFileAddress());
  }
  return {out.begin(), out.end()};
}

}  // namespace cgo
