#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <string>

#include "lldb-plugin/command_context.h"
#include "target/result.h"

namespace cgo {

/// A debugger whose own output goes nowhere: what is printed is the answer alone.
class QuietDebugger {
 public:
  QuietDebugger();
  lldb::SBDebugger& get() { return debugger_; }

 private:
  lldb::SBDebugger debugger_;
};

/// What LLDB says of an error, or that it says nothing.
std::string words_of(lldb::SBError error);

/// Attaches to a process of this machine; on failure with what the kernel knows of the reason.
Result<lldb::SBProcess> attach(lldb::SBDebugger debugger, std::uint64_t pid);

/// Lets go of a process, and leaves it as it was found: LLDB's server wakes one that was frozen.
/// Not frozen again when somebody else woke it meanwhile.
void detach(lldb::SBProcess process, bool was_frozen);

Failure not_opened(const Error& error);

}  // namespace cgo
