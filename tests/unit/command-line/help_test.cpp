#include <catch2/catch_test_macros.hpp>
#include <string>

#include "lldb-plugin/command_help.h"

namespace cgo {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("help shows syntax, flags, an example and the cost of every command") {
  for (const Host host : {Host::lldb, Host::headless}) {
    for (const Command& command : command_table()) {
      if (!exists_in(command.host, host)) continue;
      const std::string text = help_for(command, host);
      CAPTURE(command.name);
      CHECK(contains(text, command.summary));
      CHECK(contains(text, "Syntax: "));
      CHECK(contains(text, "Example: "));
      CHECK(contains(text, "Cost: "));
      for (const Flag& flag : flags_of(command, host)) CHECK(contains(text, flag.name));
      CHECK(contains(help_overview(host), " " + std::string(command.name) + " "));
    }
  }
}

TEST_CASE("help does not offer what does not exist where it is asked for") {
  CHECK_FALSE(contains(help_overview(Host::lldb), "cgo script"));
  CHECK_FALSE(contains(help_overview(Host::headless), "lldb-cgo frame"));
  CHECK_FALSE(contains(help_for(*find_command("bt", Host::lldb), Host::lldb), "--core"));
}

TEST_CASE("the manual page and completion know every headless command and flag") {
  const std::string man = man_page(), bash = shell_completion("bash"),
                    zsh = shell_completion("zsh");
  for (const Command& command : command_table()) {
    if (!exists_in(command.host, Host::headless)) continue;
    CAPTURE(command.name);
    CHECK(contains(man, ".SS " + std::string(command.name)));
    CHECK(contains(bash, command.name));
    CHECK(contains(zsh, command.name));
    for (const Flag& flag : flags_of(command, Host::headless)) {
      CHECK(contains(bash, flag.name));
      CHECK(contains(zsh, "'" + std::string(flag.name) + "["));
    }
  }
  CHECK(shell_completion("fish").empty());
}

TEST_CASE("roff is not confused by what the table says") {
  // A line that begins with a dot or quote is a request; all of ours are known ones.
  std::string line;
  for (char c : man_page() + "\n") {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (!line.empty() && (line[0] == '.' || line[0] == '\'')) {
      CAPTURE(line);
      const std::string request = line.substr(0, line.find(' '));
      CHECK((request == ".TH" || request == ".SH" || request == ".SS" || request == ".TP" ||
             request == ".B" || request == ".I" || request == ".PP" || request == ".BR"));
    }
    line.clear();
  }
}

}  // namespace
}  // namespace cgo
