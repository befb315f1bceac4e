#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lldb-plugin/command_context.h"

namespace cgo {

/// Standard output of the program, where no write is believed before the kernel took it. One at a
/// time a process; whoever wants to write otherwise asks `finish` first.
class StandardOutput {
 public:
  void write(std::string_view text);
  /// Writes what is left and gives the exit status: `status`, unless the answer did not get out.
  /// That is said on stderr, except where the reader went away: it has what it wanted.
  ExitStatus finish(ExitStatus status);

 private:
  void flush();

  std::string waiting_;
  std::uint64_t written_ = 0;
  int error_ = 0;  // errno of the first write that failed; nothing is written after it.
};

/// From now on a write to a pipe without a reader fails with EPIPE instead of ending the program:
/// LLDB's server may go away in the middle of a question. Programs that are started get the default
/// again.
void survive_broken_pipes();

}  // namespace cgo
