#pragma once

#include "target/address.h"
#include "target/memory_reader.h"

namespace cgo {

/// Whether the instruction before `pc` is a call, so that `pc` can be a return address. x86-64:
/// call rel32 and every form of call r/m64. Error when the bytes before `pc` cannot be read.
Result<bool> follows_call(const MemoryReader& memory, Address pc);

/// Whether `pc` is in a signal-return trampoline: `mov $15, %rax; syscall`, as in glibc's
/// __restore_rt, musl's, and the Go runtime's sigreturn__sigaction. The stack pointer there is the
/// address of the kernel's ucontext.
bool is_signal_return(const MemoryReader& memory, Address pc);

}  // namespace cgo
