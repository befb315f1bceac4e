#include <set>
#include <string>

#include "lldb-plugin/command_help.h"
#include "lldb-plugin/command_line.h"

namespace cgo {
namespace {

std::string command_names() {
  std::string names;
  for (const Command& command : command_table())
    if (exists_in(command.host, Host::headless))
      names += (names.empty() ? "" : " ") + std::string(command.name);
  return names;
}

/// All flags that a file's name follows.
std::set<std::string_view> file_flags() {
  std::set<std::string_view> out;
  const auto add = [&](std::span<const Flag> flags) {
    for (const Flag& flag : flags)
      if (flag.kind == ValueKind::file) out.insert(flag.name);
  };
  add(target_flags());
  for (const Command& command : command_table())
    if (exists_in(command.host, Host::headless)) add(command.flags);
  return out;
}

std::string bash_completion() {
  std::string text =
      "# Completion of lldb-cgo for bash, made from the table of commands.\n"
      "_lldb_cgo() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
      "  case \"$before\" in\n";
  for (const std::string_view flag : file_flags())
    text += "    " + std::string(flag) + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n";
  text +=
      "    --completion) COMPREPLY=($(compgen -W 'bash zsh' -- \"$word\")); return ;;\n"
      "  esac\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      command_names() +
      "' -- \"$word\"))\n    return\n  fi\n"
      "  case \"${COMP_WORDS[1]}\" in\n";
  for (const Command& command : command_table()) {
    if (!exists_in(command.host, Host::headless)) continue;
    std::string words;
    for (const Flag& flag : flags_of(command, Host::headless))
      words += std::string(flag.name) + " ";
    if (command.name == "help") words += command_names();
    text += "    " + std::string(command.name) + ") COMPREPLY=($(compgen -W '" + words + "' ";
    if (!command.positionals.empty() && command.positionals[0].kind == ValueKind::file)
      text += "-f ";
    text += "-- \"$word\")) ;;\n";
  }
  return text + "  esac\n}\ncomplete -o filenames -F _lldb_cgo lldb-cgo\n";
}

/// Text inside a zsh specification in single quotes: brackets and colons have a meaning there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':')
      out.append("\\").push_back(c);
    else
      out += c;
  }
  return out;
}

std::string zsh_flag(const Flag& flag) {
  std::string text = "'" + std::string(flag.name) + "[" + zsh_text(flag.help) + "]";
  if (flag.kind == ValueKind::file)
    text += ":" + std::string(flag.value_name) + ":_files";
  else if (flag.name == "--completion")
    text += ":SHELL:(bash zsh)";
  else if (flag.kind != ValueKind::none)
    text += ":" + std::string(flag.value_name) + ":";
  return text + "'";
}

std::string zsh_completion() {
  std::string text =
      "#compdef lldb-cgo\n"
      "# Completion of lldb-cgo for zsh, made from the table of commands.\n"
      "_lldb_cgo() {\n"
      "  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command& command : command_table())
    if (exists_in(command.host, Host::headless))
      text += "      '" + std::string(command.name) + ":" + zsh_text(command.summary) + "'\n";
  text +=
      "    )\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const Command& command : command_table()) {
    if (!exists_in(command.host, Host::headless)) continue;
    text += "    " + std::string(command.name) + ") _arguments";
    for (const Flag& flag : flags_of(command, Host::headless)) text += " " + zsh_flag(flag);
    if (command.name == "help")
      text += " ':COMMAND:(" + command_names() + ")'";
    else if (!command.positionals.empty() && command.positionals[0].kind == ValueKind::file)
      text += " ':FILE:_files'";
    text += " ;;\n";
  }
  return text + "  esac\n}\n_lldb_cgo \"$@\"\n";
}

}  // namespace

std::string shell_completion(std::string_view shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  return "";
}

}  // namespace cgo
