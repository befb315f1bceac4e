#include <string>

#include "lldb-plugin/command_help.h"
#include "lldb-plugin/command_line.h"

namespace cgo {
namespace {

/// Text that roff prints as it stands.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (line_start && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\')
      out += "\\e";
    else if (text[i] == '-')
      out += "\\-";
    else
      out += text[i];
  }
  return out;
}

std::string command_section(const Command& command, Host host) {
  std::string text = ".SS " + roff(usage_line(command, host)) + "\n" + roff(command.summary) + "\n";
  for (const Positional& positional : command.positionals)
    text += ".TP\n.I " + roff(positional.name) + "\n" + roff(positional.help) + "\n";
  for (const Flag& flag : command.flags) {
    if (!exists_in(flag.host, host)) continue;
    text += ".TP\n.B " + roff(flag.name);
    if (flag.kind != ValueKind::none) text += " \\fI" + roff(flag.value_name) + "\\fR";
    text += "\n" + roff(flag.help) + "\n";
  }
  text += ".PP\n" + roff(command.cost) + "\n";
  return text;
}

std::string exit_status() {
  return ".SH EXIT STATUS\n"
         ".TP\n.B 0\nDone.\n"
         ".TP\n.B 1\nThe target was read, and findings at the asked level exist.\n"
         ".TP\n.B 2\nBad arguments.\n"
         ".TP\n.B 3\nThe target could not be opened or read at all, or nothing of the answer be "
         "written.\n"
         ".TP\n.B 4\nRead in part; the answer says what is missing. A script raised an "
         "exception.\n"
         ".TP\n.B 130\nA second Ctrl\\-C.\n";
}

}  // namespace

std::string man_page() {
  std::string text = ".TH LLDB\\-CGO 1 \"\" \"lldb\\-cgo " + roff(version_text()) + "\"\n";
  text +=
      ".SH NAME\nlldb\\-cgo \\- one true stack over Go and C, from cores and processes\n"
      ".SH SYNOPSIS\n.B lldb\\-cgo\n.I COMMAND\n[flags] (\\-\\-core FILE [\\-\\-exe FILE] | "
      "\\-\\-pid N)\n"
      ".SH DESCRIPTION\n"
      "Shows programs that mix Go and C or C++ through cgo: C, C++ and Go frames of one goroutine "
      "in "
      "one list, at any nesting depth, through signal frames. The same commands exist inside LLDB "
      "as\n"
      ".B cgo\n.I COMMAND\nafter\n.BR \"plugin load lldb\\-cgo.so\" .\n"
      ".SH OPTIONS THAT NAME THE TARGET\n";
  for (const Flag& flag : target_flags())
    text += ".TP\n.B " + roff(flag.name) + " \\fI" + roff(flag.value_name) + "\\fR\n" +
            roff(flag.help) + "\n";
  text += ".SH COMMANDS\n";
  for (const Command& command : command_table())
    if (exists_in(command.host, Host::headless)) text += command_section(command, Host::headless);
  text += ".SH COMMANDS THAT EXIST IN LLDB ONLY\n";
  for (const Command& command : command_table())
    if (command.host == Host::lldb) text += command_section(command, Host::lldb);
  text += exit_status();
  text +=
      ".SH ENVIRONMENT\n.TP\n.B LLDB_CGO_LIBLLDB\nThe liblldb to use; the newest one found "
      "otherwise.\n"
      ".SH SEE ALSO\n.BR lldb (1)\n";
  return text;
}

}  // namespace cgo
