#pragma once

#include <span>

#include "stops/fault.h"
#include "target/debuggee.h"
#include "unwind/frame.h"
#include "values/value_context.h"

namespace cgo {

/// What a report of faults is made from; all of one stack.
struct FaultEvidence {
  const Debuggee& debuggee;
  const AddressDescriber& addresses;
  std::uint64_t tid = 0;
  const Walk& walk;
  const Stack& stack;  ///< Made from `walk`, not cut.
};

/// What happened, in lines for people and as the value of "fault" in lldb-cgo/stacks/1. `faults`
/// are the stack's, not empty.
Stack::Remark describe_faults(const FaultEvidence& evidence, std::span<const Fault> faults);

}  // namespace cgo
