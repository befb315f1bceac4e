#include <fmt/format.h>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/newer_api.h"

namespace cgo {

Answer run_set(Settings& settings, const CommandLine& line) {
  Answer answer;
  if (line.positionals.empty()) {
    for (const Settings::Entry& entry : Settings::entries())
      answer.out += fmt::format("{} = {}  ({}) {}\n", entry.name, *settings.get(entry.name),
                                entry.values, entry.help);
    return answer;
  }
  const std::string& name = line.positionals[0];
  if (line.positionals.size() > 1) {
    if (auto done = settings.set(name, line.positionals[1]); !done)
      return Answer::failed({"nothing was changed", done.error().message,
                             "'cgo set' lists the settings", ExitStatus::bad_arguments});
  }
  const auto value = settings.get(name);
  if (!value)
    return Answer::failed({"nothing to show", "no setting '" + name + "'",
                           "'cgo set' lists the settings", ExitStatus::bad_arguments});
  answer.out = fmt::format("{} = {}\n", name, *value);
  if (name == "native-bt" && settings.native_bt() && !NewerApi::has_frame_providers())
    answer.warnings.push_back(
        "native-bt has no effect in this LLDB, which has no frame providers (22 and newer do); "
        "'cgo bt' shows the stack");
  return answer;
}

}  // namespace cgo
