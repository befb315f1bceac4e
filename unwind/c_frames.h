#pragma once

#include <memory>

#include "target/debuggee.h"
#include "target/registers.h"
#include "unwind/code_address.h"

namespace cgo {

/// One step outward from a C or C++ frame.
struct CStep {
  Registers caller;  ///< Only registers that the ABI preserves or the rules recover.
  Address cfa;
  bool outermost = false;  ///< The rules say there is no caller; `caller` is meaningless.
};

/// What the unwind table says of exceptions that pass a function.
struct CExceptionRule {
  AddressRange function;
  Address personality;  ///< Of the routine that decides; 0 when exceptions just pass.
  Address data;         ///< The language-specific data area (LSDA); 0 when there is none.
};

/// Steps through C code by the .eh_frame of its image, with libunwind reading the debuggee through
/// accessors. Never guesses: where there is no rule it fails. Knows nothing of Go, signal frames or
/// stack switches. One is made for a set of images; it may be used from several threads at once.
class CFrames {
 public:
  CFrames();
  ~CFrames();

  /// `registers` are those at `pc`. Fails with not_found where no rule covers pc, unreadable_memory
  /// with the address where a saved register cannot be read, malformed_data for broken rules.
  Result<CStep> step(const MemoryReader& memory, const ImageMap& images, const Registers& registers,
                     CodeAddress pc) const;

  /// `registers` are those at `pc`. not_found where no rule covers it: an exception that comes
  /// there finds the end of the stack.
  Result<CExceptionRule> exception_rule(const MemoryReader& memory, const ImageMap& images,
                                        const Registers& registers, CodeAddress pc) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The step out of the runtime's thread entry (crosscall_amd64 up to Go 1.21, crosscall1 since),
/// which is written in assembly without unwind rules; known by its code, so also when stripped.
/// not_found when the code at pc is not it.
/// Source: src/runtime/cgo/gcc_amd64.S, Go 1.19-1.27.
Result<CStep> step_crosscall1(const MemoryReader& code, const MemoryReader& stack,
                              const Registers& registers);

}  // namespace cgo
