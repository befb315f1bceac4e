#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/debuggee.h"
#include "target/signals.h"

namespace cgo {

/// What the kernel says of a process on this machine.
struct LocalProcess {
  std::string name;
  char state = '?';          ///< The kernel's letter: R, S, D, T (stopped by a signal), t, Z, X.
  pid_t tracer = 0;          ///< Who traces it; 0 for nobody.
  bool to_continue = false;  ///< A SIGCONT waits for it.

  bool ended() const { return state == 'Z' || state == 'X'; }
  /// As Ctrl-Z or kill -STOP leaves it.
  bool frozen() const { return state == 'T'; }
};

/// Nothing when there is no such process.
std::optional<LocalProcess> local_process(pid_t pid);

/// What the kernel says of the signals of a thread; io_failure when it is gone.
Result<ThreadSignals> local_thread_signals(pid_t pid, pid_t tid);

/// RLIMIT_STACK, in bytes; nothing where there is none, or the process is gone.
std::optional<std::uint64_t> local_stack_limit(pid_t pid);

/// Whether it was started with more rights than its starter's (AT_SECURE); nothing when it is gone.
std::optional<bool> local_started_secure(pid_t pid);

/// What it gave to its epoll instances; empty when it is gone or not ours to look at.
std::vector<KernelWord> local_kernel_words(pid_t pid);

/// Whether a system call that the program did not ask for can be made on a thread: not where a
/// filter of the program's own (seccomp) may end the process for it, nor within one that has
/// another mask of signals for as long as it takes (ppoll): the thread's real one is not known.
Result<void> thread_may_call(pid_t pid, pid_t tid);

/// Whether there is no process of this number any more, or only what is left for its parent.
bool process_has_ended(pid_t pid);

}  // namespace cgo
