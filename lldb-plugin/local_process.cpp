#include "lldb-plugin/local_process.h"

#include <charconv>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace cgo {
namespace {

template <class Number>
Number number(std::string_view text, int base = 10) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

void take(LocalProcess& process, std::string_view key, std::string_view value) {
  constexpr std::uint64_t kContinue = std::uint64_t{1} << (SIGCONT - 1);
  if (key == "Name") process.name = value;
  if (key == "State" && !value.empty()) process.state = value.front();
  if (key == "TracerPid") process.tracer = number<pid_t>(value);
  if (key == "SigPnd" || key == "ShdPnd")
    process.to_continue |= (number<std::uint64_t>(value, 16) & kContinue) != 0;
}

}  // namespace

std::optional<LocalProcess> local_process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  LocalProcess process;
  std::string line;
  bool any = false;
  while (std::getline(file, line)) {
    const auto colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    any = true;
    take(process, std::string_view(line).substr(0, colon),
         std::string_view(line).substr(colon + 2));
  }
  if (!any) return std::nullopt;
  return process;
}

bool process_has_ended(pid_t pid) {
  const auto process = local_process(pid);
  return !process || process->ended();
}

}  // namespace cgo
