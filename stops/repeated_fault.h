#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "stops/fault.h"
#include "target/debuggee.h"

namespace cgo {

/// A fault that was raised and handled before, at the instruction that a thread is about to run or
/// that has just faulted, with the very registers it has now. It is what the thread's stacks still
/// have of the last signal that it handled. The instruction will fault again: neither the registers
/// nor the memory have changed. Nothing where any of that cannot be told. Whether the handler
/// returned to the instruction, or jumped to somewhere before it, memory does not tell.
/// `innermost` is the thread's first frame; `now` the signal it stopped with; `signal_stacks` where
/// its handlers may run beside its own stack.
std::optional<Fault> repeated_fault(const Debuggee& debuggee, const PhysicalFrame& innermost,
                                    const std::optional<SignalDetails>& now,
                                    std::span<const AddressRange> signal_stacks);

}  // namespace cgo
