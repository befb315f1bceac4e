#pragma once

#include <cstdint>
#include <optional>

#include "target/memory_reader.h"
#include "unwind/frame.h"

namespace cgo {

/// A thread that waits for a pthread mutex (also std::mutex of C++).
struct MutexWait {
  Address mutex;
  std::uint64_t owner = 0;  ///< The tid that the mutex says it belongs to; 0 when it says none.
  bool timed = false;       ///< It gives up at a time of its own.
};

/// Whether the thread of this walk waits in glibc for a mutex, and for which: its innermost frame
/// is in the futex system call, on behalf of a function that locks a mutex. Nothing where that is
/// not certain. `stack` is the walk in source terms. Source: nptl/pthread_mutex_lock.c,
/// sysdeps/nptl/bits/struct_mutex.h of x86-64 (glibc 2.31 to 2.41).
std::optional<MutexWait> mutex_wait(const MemoryReader& memory, const Walk& walk,
                                    const Stack& stack);

/// Whether the thread waits in a futex system call of C code whose functions have no names (a
/// stripped, statically linked program): it may be for a mutex, which cannot be told.
bool waits_for_unknown_futex(const MemoryReader& memory, const Walk& walk, const Stack& stack);

}  // namespace cgo
