#pragma once

#include <optional>

#include "stops/fault.h"
#include "target/debuggee.h"
#include "unwind/signal_frame.h"

namespace cgo {

/// Whether the instruction at the program counter, when it runs with these registers, accesses
/// `address` in a way that memory forbids now. False also where that cannot be told: the mappings
/// are not known, or the instruction's operands.
bool makes_forbidden_access(const Debuggee& debuggee, const Registers& registers, int signal,
                            Address address, Fault::Access access);

/// How a page fault accessed memory, by the CPU's error code.
Fault::Access access_of_page_fault(const SignalContext& context);

/// The fault of which a handler was not told by a siginfo, because it was installed without
/// SA_SIGINFO: the kernel writes none then. Nothing where what it wrote of the page fault does not
/// fit the instruction at `interrupted` and the mappings.
std::optional<HandledSignal> page_fault_in(const Debuggee& debuggee, const Registers& interrupted,
                                           const SignalContext& context);

}  // namespace cgo
