#pragma once

#include <sys/types.h>

#include <functional>

namespace cgo {

/// How work in a process of its own ended: with an exit status, or by a crash.
struct WorkEnd {
  int status = 0;  ///< What the work returned; meaningless after a crash.
  int signal = 0;  ///< The signal of a crash (SIGSEGV, SIGABRT, …), else 0.
};

/// What is done for work that has to be ended with care.
struct Supervision {
  /// SIGTERM, SIGHUP and SIGQUIT are handed to the child as Ctrl-C is; it has all four blocked. It
  /// is asked to end (SIGTERM), not killed, when this process is. Any signal that ends it is
  /// returned like a crash.
  bool with_care = false;
};

/// Runs `work` in a child process and waits for it, so that a crash in a library cannot take the
/// answer with it. Ctrl-C reaches the child as it would reach this process. When the child is ended
/// by what is no crash (SIGTERM, SIGINT, …), this process ends the same way. The child is killed
/// when this process is. Without a child (fork fails) the work runs here.
///
/// To be called before any thread is started.
WorkEnd run_supervised(const std::function<int()>& work, Supervision how = {});

/// From now on hands the signals that the child was handed to another process.
void pass_signals_to(pid_t process);
/// Ends this process by a signal.
[[noreturn]] void end_by(int signal);

}  // namespace cgo
