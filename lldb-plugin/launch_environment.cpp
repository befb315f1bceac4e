#include "lldb-plugin/launch_environment.h"

#include <sstream>

namespace cgo {

Result<std::string> LaunchEnvironment::command(const std::string& line) const {
  lldb::SBExecutionContext context(target_);
  lldb::SBCommandReturnObject result;
  debugger_.GetCommandInterpreter().HandleCommand(line.c_str(), context, result, false);
  if (!result.Succeeded())
    return Error{ErrorCode::unsupported,
                 "LLDB does not take '" + line +
                     "': " + (result.GetError() == nullptr ? "" : result.GetError())};
  return std::string(result.GetOutput() == nullptr ? "" : result.GetOutput());
}

std::string LaunchEnvironment::effective(const std::string& name) const {
  const char* value = target_.GetEnvironment().Get(name.c_str());
  return value == nullptr ? "" : value;
}

std::optional<std::string> LaunchEnvironment::own(const std::string& name) const {
  const auto shown = command("settings show target.env-vars");
  if (!shown) return std::nullopt;
  std::istringstream lines(*shown);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    if (line.compare(begin, name.size() + 1, name + "=") == 0)
      return line.substr(begin + name.size() + 1);
  }
  return std::nullopt;
}

Result<void> LaunchEnvironment::set(const std::string& name, const std::string& value) {
  if (value.find_first_of("'`\n\\") != std::string::npos)
    return Error{ErrorCode::unsupported,
                 name + " would have a character that LLDB's settings cannot be given: " + value};
  auto done = command("settings append target.env-vars '" + name + "=" + value + "'");
  if (!done) return std::move(done).error();
  if (own(name) != value)
    return Error{ErrorCode::unsupported, "target.env-vars does not have what it was given"};
  return {};
}

Result<void> LaunchEnvironment::remove(const std::string& name) {
  if (!own(name)) return {};
  auto done = command("settings remove target.env-vars " + name);
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace cgo
