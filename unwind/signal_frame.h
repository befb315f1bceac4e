#pragma once

#include <cstdint>
#include <optional>

#include "target/memory_reader.h"
#include "target/signals.h"

namespace cgo {

/// A signal that a thread handles, as the kernel described it to the handler.
struct HandledSignal {
  int number = 0;
  int code = 0;  ///< si_code; above 0 the kernel raised it.
  std::optional<Address> fault_address;
};

/// Whether the signal tells of a fault of the instruction itself: SIGSEGV, SIGBUS, SIGFPE or SIGILL
/// that the kernel raised and nobody sent.
bool is_fault(int number, int code);

/// What the kernel noted of an interruption beside the registers. Some of it is of the last page
/// fault of the thread, which may be an older one.
struct SignalContext {
  AlternateStack alternate;    ///< The thread's at that moment; in_use where it ran on it.
  std::uint64_t trap = 0;      ///< The CPU's number of the exception: 14 is a page fault.
  std::uint64_t error = 0;     ///< The CPU's error code.
  Address page_fault_address;  ///< cr2.
  std::uint64_t flags = 0;     ///< The CPU's, amd64: rflags.

  /// Whether the interrupted instruction is to be run again: it faulted, or the return from a
  /// handler had led to it. Source: Intel SDM volume 3, 17.3.1.1, RF: an instruction that completes
  /// clears it, a fault sets it in the flags that are saved.
  bool resumes() const { return (flags & kResumeFlag) != 0; }
  static constexpr std::uint64_t kResumeFlag = 1u << 16;
};

/// The siginfo behind a ucontext; nothing where it cannot be read or is none. amd64.
std::optional<HandledSignal> signal_behind(const MemoryReader& memory, Address ucontext);
/// Fails with unreadable_memory, with the address of the first byte that is missing. amd64.
Result<SignalContext> signal_context(const MemoryReader& memory, Address ucontext);

}  // namespace cgo
