#include "lldb-plugin/started_program.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace cgo {
namespace {

/// In the child: becomes the program, which stops for its tracer before its first instruction.
[[noreturn]] void become(const std::vector<std::string>& words, pid_t parent, int errors) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // Where only ancestors may trace (Yama's ptrace_scope 1), LLDB's server would be none.
  prctl(PR_SET_PTRACER, parent);
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0) execvp(arguments[0], arguments.data());
  const int error = errno;
  [[maybe_unused]] const auto written = write(errors, &error, sizeof error);
  _exit(127);
}

int wait_for(pid_t child, int options) {
  int status = 0;
  while (waitpid(child, &status, options) < 0)
    if (errno != EINTR) return 0;
  return status;
}

/// The child has become the program; false when it ended without.
bool wait_for_exec(pid_t child) {
  for (;;) {
    const int status = wait_for(child, 0);
    if (!WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) == SIGTRAP) return true;
    ptrace(PTRACE_CONT, child, nullptr, WSTOPSIG(status));  // A signal that came before.
  }
}

Error cannot_start(const std::string& program, int error) {
  return {ErrorCode::io_failure, "cannot execute " + program + ": " + std::strerror(error)};
}

}  // namespace

Result<StartedProgram> StartedProgram::start(const std::vector<std::string>& words) {
  int errors[2];
  if (pipe2(errors, O_CLOEXEC) != 0) return cannot_start(words.at(0), errno);
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(words, parent, errors[1]);
  const int fork_error = errno;
  close(errors[1]);
  if (child < 0) {
    close(errors[0]);
    return cannot_start(words.at(0), fork_error);
  }
  const bool runs = wait_for_exec(child);
  int error = ECHILD;
  if (!runs && read(errors[0], &error, sizeof error) != sizeof error) error = ECHILD;
  close(errors[0]);
  if (!runs) return cannot_start(words.at(0), error);
  // Not traced any more, and stopped: a debugger can come.
  ptrace(PTRACE_DETACH, child, nullptr, SIGSTOP);
  const int status = wait_for(child, WUNTRACED);
  if (!WIFSTOPPED(status)) return Error{ErrorCode::io_failure, words[0] + " ended at once"};
  return StartedProgram(child);
}

void StartedProgram::kill() const { ::kill(pid_, SIGKILL); }

int StartedProgram::wait() const { return wait_for(pid_, 0); }

}  // namespace cgo
