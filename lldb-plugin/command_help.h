#pragma once

#include <string>
#include <string_view>

#include "lldb-plugin/command_line.h"

namespace cgo {

/// "bt [--all] [--goroutine N]": how the command is written, without "cgo" or "lldb-cgo".
std::string usage_line(const Command& command, Host host);

/// Help for all commands: one line each, and where to read on.
std::string help_overview(Host host);

/// Help for one command: summary, usage, flags, example, cost. Ends with a newline.
std::string help_for(const Command& command, Host host);

/// What `help` answers.
struct HelpAnswer {
  std::string text;
  std::string wrong;  ///< Why there is no text; empty when there is.
};
HelpAnswer help_answer(const CommandLine& line, Host host);

/// The manual page lldb-cgo(1), as roff.
std::string man_page();

/// The release of lldb-cgo, "0.1.0".
std::string_view version_text();

/// Completion for a shell, made from the table; empty for a shell there is none for.
std::string shell_completion(std::string_view shell);

}  // namespace cgo
