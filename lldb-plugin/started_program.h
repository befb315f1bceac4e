#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "target/result.h"

namespace cgo {

/// A program that this one has started with its own standard streams, working folder and
/// environment. It stands before its first instruction, stopped as by SIGSTOP, until a debugger
/// that is attached lets it go.
class StartedProgram {
 public:
  /// `words` are the program, looked for in PATH like a shell does, and its arguments. Fails where
  /// it cannot be executed. This process and those it starts may trace it. To be called before any
  /// thread is started.
  static Result<StartedProgram> start(const std::vector<std::string>& words);

  pid_t pid() const { return pid_; }
  /// Ends it where it stands.
  void kill() const;
  /// Waits for its end; the status is one of waitpid.
  int wait() const;

 private:
  explicit StartedProgram(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace cgo
