#include "lldb-plugin/command_context.h"
#include "lldb-plugin/command_help.h"

namespace cgo {

Answer run_help(CommandContext& context, const CommandLine& line) {
  HelpAnswer help = help_answer(line, context.host);
  if (!help.wrong.empty())
    return Answer::failed({"nothing to explain", help.wrong, "", ExitStatus::bad_arguments});
  Answer answer;
  answer.out = std::move(help.text);
  return answer;
}

Answer run_version(CommandContext&, const CommandLine&) {
  Answer answer;
  answer.out = "lldb-cgo " + std::string(version_text()) + "\n";
  return answer;
}

}  // namespace cgo
