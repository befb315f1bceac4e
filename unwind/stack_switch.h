#pragma once

#include <optional>
#include <span>

#include "goruntime/goroutine.h"
#include "goruntime/pclntab.h"
#include "target/memory_reader.h"
#include "target/registers.h"
#include "unwind/code_address.h"
#include "unwind/frame.h"

namespace cgo {

/// What one runtime knows of the thread (or parked goroutine) that is walked.
struct SwitchContext {
  std::optional<Goroutine> user;     ///< The goroutine: m.curg.
  std::optional<Error> user_error;   ///< Why `user` is missing although m.curg is set.
  std::optional<Goroutine> g0;       ///< The m's system stack.
  std::optional<Goroutine> gsignal;  ///< The m's signal stack.
  Address vdso_sp, vdso_pc;          ///< m.vdsoSP, m.vdsoPC; zero once used.
  Address callback_sp;  ///< Head of the chain of cgocallback frames on g0: g0.sched.sp.

  /// Only the goroutine's own bounds are exact; g0's are a guess on threads that C created.
  bool on_user_stack(Address sp) const {
    return user && user->stack.begin < sp && sp <= user->stack.end;
  }
};

/// A frame of Go code where control may have changed stacks.
struct SwitchSite {
  const MemoryReader& memory;
  const GoFunction& function;
  GoVersion version;
  std::uint32_t frame_bytes;  ///< pcsp at the frame's pc.
  const Registers& registers;
  bool innermost;  ///< Nothing has been called from this frame: registers are the CPU's own.
};

/// Where the walk goes on after a switch.
struct Switched {
  Registers registers;
  CodeAddress::Origin origin = CodeAddress::Origin::return_address;
  Address cfa;  ///< Of the frame that switched.
  Crossing crossing = Crossing::none;
  const char* rule = "";
  bool ends_stack = false;  ///< Nothing called this frame; `stop` says what kind of end it is.
  StopReason stop = StopReason::thread_entry;
  bool uses_vdso = false;  ///< vdso_sp was consumed.
};

/// Applies the row of the table that fits, if any: nothing means "an ordinary frame". An error
/// means that a row fits but memory contradicts it. cgocallback is not here: it needs the walk of
/// what lies outside (see callback.h).
Result<std::optional<Switched>> switch_stack(const SwitchContext& context, const SwitchSite& site);

/// Callee-saved registers of the C caller, put back from where crosscall2 keeps them. `step` is the
/// ordinary step out of crosscall2. Unchanged when the release is not in the table.
/// Source: src/runtime/cgo/asm_amd64.s, crosscall2; src/runtime/cgo/abi_amd64.h.
Result<void> restore_c_registers(const MemoryReader& memory, GoVersion version, Address cfa,
                                 Registers& caller);

/// The registers a kernel signal frame holds; `ucontext` is the stack pointer in the trampoline.
/// Source: linux/arch/x86/include/uapi/asm/sigcontext.h, struct sigcontext_64, 40 bytes into
/// ucontext.
Result<Registers> registers_from_ucontext(const MemoryReader& memory, const ArchInfo& arch,
                                          Address ucontext);

}  // namespace cgo
