#include "lldb-plugin/standard_output.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace cgo {
namespace {

constexpr std::size_t kPiece = 1 << 18;

void do_nothing(int) {}

}  // namespace

void StandardOutput::write(std::string_view text) {
  if (error_ != 0) return;
  waiting_ += text;
  if (waiting_.size() >= kPiece) flush();
}

void StandardOutput::flush() {
  std::string_view rest = waiting_;
  while (!rest.empty() && error_ == 0) {
    const ssize_t done = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (done > 0) {
      rest.remove_prefix(static_cast<std::size_t>(done));
      written_ += static_cast<std::uint64_t>(done);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  waiting_.clear();
}

ExitStatus StandardOutput::finish(ExitStatus status) {
  flush();
  if (error_ == 0 || error_ == EPIPE) return status;
  std::fprintf(stderr, "lldb-cgo: cannot write the answer\n  why: %s\n", std::strerror(error_));
  return written_ == 0 ? ExitStatus::no_target : ExitStatus::partial;
}

void survive_broken_pipes() {
  struct sigaction action{};
  action.sa_handler = do_nothing;  // Not SIG_IGN, which programs that are started would inherit.
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace cgo
