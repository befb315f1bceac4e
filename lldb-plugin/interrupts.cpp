#include "lldb-plugin/interrupts.h"

#include <unistd.h>

namespace cgo {
namespace {

volatile std::sig_atomic_t g_interrupts = 0;  // A signal handler can reach nothing else.

void count(int) {
  g_interrupts = g_interrupts + 1;
  if (g_interrupts > 1) _exit(130);  // The second Ctrl-C means now.
}

}  // namespace

Interrupts& count_interrupts() {
  struct sigaction now{};
  sigaction(SIGINT, nullptr, &now);
  if (now.sa_handler == SIG_IGN) return g_interrupts;  // In the background of a shell's script.
  struct sigaction action{};
  action.sa_handler = count;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  return g_interrupts;
}

void stop_counting_interrupts() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace cgo
