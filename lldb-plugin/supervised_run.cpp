#include "lldb-plugin/supervised_run.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

namespace cgo {
namespace {

volatile std::sig_atomic_t g_child = 0;  // A signal handler can reach nothing else.

/// A terminal sends Ctrl-C to both processes; whoever sends it to this one alone means the child.
void pass_on(int signal, siginfo_t* info, void*) {
  if (info->si_code <= 0 && g_child > 0) kill(g_child, signal);
}

constexpr int kPassedWithCare[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

void pass_on_from_now(int signal) {
  struct sigaction now{};
  sigaction(signal, nullptr, &now);
  if (now.sa_handler == SIG_IGN) return;
  struct sigaction action{};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL ||
         signal == SIGFPE || signal == SIGTRAP || signal == SIGSYS;
}

[[noreturn]] void run_in_child(const std::function<int()>& work, pid_t parent, bool with_care) {
  prctl(PR_SET_PDEATHSIG, with_care ? SIGTERM : SIGKILL);
  if (getppid() != parent) _exit(128 + SIGKILL);  // It ended before the line above.
  const int status = work();
  std::fflush(nullptr);
  _exit(status);
}

WorkEnd wait_for(pid_t child, bool with_care) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return {.status = 128 + SIGKILL};
  if (WIFEXITED(status)) return {.status = WEXITSTATUS(status)};
  if (!with_care && !is_crash(WTERMSIG(status))) end_by(WTERMSIG(status));
  return {.signal = WTERMSIG(status)};
}

}  // namespace

void pass_signals_to(pid_t process) { g_child = process; }

void end_by(int signal) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  raise(signal);
  _exit(128 + signal);
}

WorkEnd run_supervised(const std::function<int()>& work, Supervision how) {
  sigset_t passed, before;
  sigemptyset(&passed);
  for (const int signal : kPassedWithCare)
    if (how.with_care || signal == SIGINT) sigaddset(&passed, signal);
  std::fflush(nullptr);  // Else what waits in a buffer is written twice.
  sigprocmask(SIG_BLOCK, &passed, &before);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child > 0) {
    g_child = child;
    for (const int signal : kPassedWithCare)
      if (sigismember(&passed, signal) == 1) pass_on_from_now(signal);
  }
  if (child != 0 || !how.with_care) sigprocmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return {.status = work()};
  if (child == 0) run_in_child(work, parent, how.with_care);
  return wait_for(child, how.with_care);
}

}  // namespace cgo
