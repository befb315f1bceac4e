#include "lldb-plugin/expression_guard.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "lldb-plugin/newer_api.h"

namespace cgo {
namespace {

constexpr const char* kCommands[] = {"dwim-print", "expression"};
constexpr std::string_view kOwnNames =
    "error: in this frame LLDB 22 cannot evaluate names that begin with '$' together with others\n"
    "  try: 'frame select 0' first, or 'cgo print'\n";

/// The expression of "p -f x -- n + 1", or of "p n + 1".
std::string_view expression_in(std::string_view command) {
  constexpr std::string_view kEndOfOptions = "-- ";
  const auto trimmed = [](std::string_view text) {
    const std::size_t from = text.find_first_not_of(' ');
    return from == std::string_view::npos ? std::string_view{} : text.substr(from);
  };
  command.remove_prefix(std::min(command.find(' '), command.size()));
  command = trimmed(command);
  if (!command.starts_with('-')) return command;
  const std::size_t end = command.find(kEndOfOptions);
  return end == std::string_view::npos ? command
                                       : trimmed(command.substr(end + kEndOfOptions.size()));
}

bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

/// Whether a name of the program is looked up, which those of fields and of LLDB ("$x") are not.
bool names_something(std::string_view expression) {
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (!is_name_part(expression[i])) continue;
    const std::string_view before = expression.substr(0, i);
    const char first = expression[i];
    while (i + 1 < expression.size() && is_name_part(expression[i + 1])) ++i;
    const bool field = before.ends_with('.') || before.ends_with("->");
    const bool number = std::isdigit(static_cast<unsigned char>(first)) != 0;
    if (!field && !number && first != '$') return true;
  }
  return false;
}

void write(lldb::SBFile file, std::string_view text) {
  std::size_t written = 0;
  file.Write(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &written);
  file.Flush();
}

/// Whether LLDB would look for C names in a frame that it did not find itself.
bool is_provided_c_frame(lldb::SBFrame frame) {
  return frame.IsValid() && NewerApi::is_synthetic(frame) && frame.GetCompileUnit().IsValid() &&
         frame.GetCompileUnit().GetLanguage() != lldb::eLanguageTypeGo;
}

/// True when the command is done with. LLDB's callbacks carry a plain pointer and are never taken
/// back: it has to stay valid.
bool answer_instead(void* baton, const char** words) {
  auto& debugger = *static_cast<lldb::SBDebugger*>(baton);
  lldb::SBThread thread = debugger.GetSelectedTarget().GetProcess().GetSelectedThread();
  if (!is_provided_c_frame(thread.GetSelectedFrame())) return false;
  const std::string_view expression = expression_in(words[0] == nullptr ? "" : words[0]);
  if (!names_something(expression)) return false;
  if (expression.find('$') != std::string_view::npos) {
    write(debugger.GetErrorFile(), kOwnNames);
    return true;
  }
  lldb::SBCommandReturnObject result;
  debugger.GetCommandInterpreter().HandleCommand(
      ("cgo print -- " + std::string(expression)).c_str(), result);
  if (const char* output = result.GetOutput()) write(debugger.GetOutputFile(), output);
  if (const char* error = result.GetError()) write(debugger.GetErrorFile(), error);
  return true;
}

}  // namespace

void guard_expressions(lldb::SBDebugger debugger) {
  auto* kept = new lldb::SBDebugger(debugger);
  for (const char* command : kCommands)
    debugger.GetCommandInterpreter().SetCommandOverrideCallback(command, answer_instead, kept);
}

}  // namespace cgo
