#pragma once

#include <string_view>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/standard_output.h"

namespace cgo {

/// Ends the answer of a command on stdout and says on stderr what is missing; the exit status.
int print_answer(StandardOutput& out, const Answer& answer, std::string_view command);

/// What a command says that was interrupted before there was anything to show.
Failure interrupted_early();

}  // namespace cgo
