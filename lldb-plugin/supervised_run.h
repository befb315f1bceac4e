#pragma once

#include <functional>

namespace cgo {

/// How work in a process of its own ended: with an exit status, or by a crash.
struct WorkEnd {
  int status = 0;  ///< What the work returned; meaningless after a crash.
  int signal = 0;  ///< The signal of a crash (SIGSEGV, SIGABRT, …), else 0.
};

/// Runs `work` in a child process and waits for it, so that a crash in a library cannot take the
/// answer with it. Ctrl-C reaches the child as it would reach this process. When the child is ended
/// by what is no crash (SIGTERM, SIGINT, …), this process ends the same way. The child is killed
/// when this process is. Without a child (fork fails) the work runs here.
///
/// To be called before any thread is started.
WorkEnd run_supervised(const std::function<int()>& work);

}  // namespace cgo
