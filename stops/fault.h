#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "target/debuggee.h"
#include "unwind/frame.h"
#include "unwind/signal_frame.h"

namespace cgo {

/// A fault that the kernel raised for an instruction of a thread, and what the stack of the thread
/// tells of it.
struct Fault {
  enum class Access : std::uint8_t { unknown, read, write, execute };

  int number = 0, code = 0;
  /// Of the memory that was accessed; nothing where the kernel names none, and for SIGFPE and
  /// SIGILL, whose address is the instruction's.
  std::optional<Address> address;
  Access access = Access::unknown;
  /// The thread raised the very fault before, with the same registers, and it was handled.
  bool repeats = false;
  bool protection = false;  ///< The CPU's general protection fault, which has no address.
  Address pc, sp;           ///< Of the instruction.
  std::optional<Address> instruction;  ///< As the kernel names it: of SIGFPE and SIGILL.
  std::size_t frame = 0;               ///< Index into Walk::elements of the frame that it is in.
  /// The outermost frame of the handler; nothing where none runs (yet).
  std::optional<std::size_t> handler;
  /// The thread's alternate stack at that moment, where the kernel noted it.
  std::optional<AlternateStack> alternate;
};

/// The fault of `interrupted`, the frame `index` of a walk, which a handler was given with
/// `ucontext`; nothing where the signal was none.
std::optional<Fault> handled_fault(const Debuggee& debuggee, const PhysicalFrame& interrupted,
                                   std::size_t index, Address ucontext);

/// The faults that a thread's stack shows, the first in time first: `now` is what the thread
/// stopped or ended with, each signal frame of the walk one more. Signals that somebody sent are
/// none.
std::vector<Fault> faults_of(const Walk& walk, const Debuggee& debuggee,
                             const std::optional<SignalDetails>& now);

}  // namespace cgo
