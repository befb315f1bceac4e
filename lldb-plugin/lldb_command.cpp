#include <string>
#include <vector>

#include "lldb-plugin/command_help.h"
#include "lldb-plugin/lldb_commands.h"
#include "unwind/format.h"

namespace cgo {
namespace {

std::vector<std::string> words_of(char** argv) {
  std::vector<std::string> words;
  for (; argv != nullptr && *argv != nullptr; ++argv) words.emplace_back(*argv);
  return words;
}

bool fail(lldb::SBCommandReturnObject& result, const std::string& text) {
  result.SetError(text.c_str());
  result.SetStatus(lldb::eReturnStatusFailed);
  return false;
}

/// One command of the table, as LLDB calls it.
class LldbCommand final : public lldb::SBCommandPluginInterface {
 public:
  LldbCommand(const Command& command, std::shared_ptr<Plugin> plugin)
      : command_(command), plugin_(std::move(plugin)) {}

  bool DoExecute(lldb::SBDebugger debugger, char** argv,
                 lldb::SBCommandReturnObject& result) override try {
    const std::string name = "cgo " + std::string(command_.name);
    const std::vector<std::string> words = words_of(argv);
    const auto line = parse_command_line(command_, words, Host::lldb);
    if (!line)
      return fail(result, name + ": " + escaped(line.error().message) + "\n  try: cgo help " +
                              std::string(command_.name));
    if (line->help) {
      result.PutCString(help_for(command_, Host::lldb).c_str());
      return true;
    }
    const bool colour = debugger.GetUseColor() && !line->has("--json");
    return show(
        run_in_lldb(*plugin_, debugger, debugger.GetSelectedTarget().GetProcess(), *line, colour),
        name, result);
  } catch (...) {
    return fail(result, "cgo: an internal error");
  }

 private:
  static bool show(const Answer& answer, const std::string& name,
                   lldb::SBCommandReturnObject& result) {
    if (!answer.out.empty()) result.PutCString(answer.out.c_str());
    for (const std::string& warning : answer.warnings)
      result.AppendWarning(escaped(warning).c_str());
    if (answer.failure) return fail(result, format_failure(name, *answer.failure));
    result.SetStatus(lldb::eReturnStatusSuccessFinishResult);
    return true;
  }

  const Command& command_;
  std::shared_ptr<Plugin> plugin_;
};

}  // namespace

bool add_commands(lldb::SBDebugger debugger, std::shared_ptr<Plugin> plugin) {
  lldb::SBCommandInterpreter interpreter = debugger.GetCommandInterpreter();
  if (interpreter.CommandExists("cgo") || interpreter.UserCommandExists("cgo")) return true;
  lldb::SBCommand cgo = interpreter.AddMultiwordCommand(
      "cgo", "One stack over Go and C, in programs that mix them through cgo.");
  if (!cgo.IsValid()) return false;
  for (const Command& command : command_table()) {
    if (!exists_in(command.host, Host::lldb)) continue;
    // LLDB lists the first text of every command, and shows the second for one command only.
    const std::string summary(command.summary);
    const std::string syntax = "cgo " + usage_line(command, Host::lldb) + "\n\nExample: cgo " +
                               std::string(command.name) + " " + std::string(command.example) +
                               "\nCost: " + std::string(command.cost) + "\nFlags: cgo help " +
                               std::string(command.name);
    // LLDB keeps the pointer and deletes it with the command.
    cgo.AddCommand(std::string(command.name).c_str(), new LldbCommand(command, plugin),
                   summary.c_str(), syntax.c_str());
  }
  return true;
}

}  // namespace cgo
