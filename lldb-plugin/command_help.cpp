#include "lldb-plugin/command_help.h"

#include <algorithm>
#include <vector>

#include "lldb-plugin/command_line.h"

namespace cgo {
namespace {

std::string program(Host host) { return host == Host::headless ? "lldb-cgo" : "cgo"; }

std::string with_value(const Flag& flag) {
  std::string text(flag.name);
  if (flag.kind != ValueKind::none) text.append(" ").append(flag.value_name);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string target_usage(Needs needs) {
  if (needs == Needs::nothing) return {};
  if (needs == Needs::running) return " (--pid N | -- PROGRAM [ARGS…])";
  return needs == Needs::program ? " (--core FILE [--exe FILE] | --exe FILE | --pid N)"
                                 : " (--core FILE [--exe FILE] | --pid N)";
}

}  // namespace

std::string usage_line(const Command& command, Host host) {
  std::string usage(command.name);
  for (const Positional& positional : command.positionals) {
    const std::string name = std::string(positional.name) + (positional.repeats ? "…" : "");
    usage += positional.required ? " " + name : " [" + name + "]";
  }
  for (const Flag& flag : command.flags)
    if (exists_in(flag.host, host)) usage += " [" + with_value(flag) + "]";
  if (host == Host::headless) usage += target_usage(command.needs);
  return usage;
}

std::string_view version_text() { return CGO_VERSION; }

HelpAnswer help_answer(const CommandLine& line, Host host) {
  if (line.has("--man")) return {man_page(), ""};
  if (const auto shell = line.text("--completion")) {
    std::string text = shell_completion(*shell);
    if (text.empty())
      return {"", "no completion for '" + *shell + "'; there is one for bash and one for zsh"};
    return {std::move(text), ""};
  }
  if (line.positionals.empty()) return {help_overview(host), ""};
  if (const Command* command = find_command(line.positionals[0], host))
    return {help_for(*command, host), ""};
  return {"", unknown_command(line.positionals[0], host).message};
}

std::string help_overview(Host host) {
  std::string text =
      "One stack over Go and C, in programs that mix them through cgo.\n\nCommands:\n";
  for (const Command& command : command_table()) {
    if (!exists_in(command.host, host)) continue;
    text += "  " + padded(program(host) + " " + std::string(command.name), 22) +
            std::string(command.summary) + "\n";
  }
  text += "\n'" + program(host) + " help COMMAND' explains one command with an example.\n";
  return text;
}

std::string help_for(const Command& command, Host host) {
  std::string text(command.summary);
  text += "\n\nSyntax: " + program(host) + " " + usage_line(command, host) + "\n";
  for (const Positional& positional : command.positionals)
    text += "  " + padded(std::string(positional.name), 18) + std::string(positional.help) + "\n";
  for (const Flag& flag : flags_of(command, host))
    text += "  " + padded(with_value(flag), 18) + std::string(flag.help) + "\n";
  text += "\nExample: " + program(host) + " " + std::string(command.name);
  if (!command.example.empty()) text += " " + std::string(command.example);
  const bool of_core = command.needs != Needs::nothing && command.needs != Needs::running;
  if (host == Host::headless && of_core) text += " --core core.4711";
  text += "\nCost: " + std::string(command.cost) + "\n";
  return text;
}

}  // namespace cgo
