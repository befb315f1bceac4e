#include "lldb-plugin/command_line.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

namespace cgo {
namespace {

Result<CommandLine> parse(std::string_view command, std::vector<std::string> words,
                          Host host = Host::headless) {
  const Command* found = find_command(command, host);
  REQUIRE(found != nullptr);
  return parse_command_line(*found, words, host);
}

TEST_CASE("flags are read with their values, in any order and both spellings") {
  const auto line = parse("bt", {"--limit=7", "--core", "a file", "--raw"});
  REQUIRE(line);
  CHECK(line->number("--limit") == 7);
  CHECK(line->text("--core") == "a file");
  CHECK(line->has("--raw"));
  CHECK_FALSE(line->has("--json"));
}

TEST_CASE("a mistyped flag names the nearest one") {
  const auto line = parse("bt", {"--gorutine", "3"});
  REQUIRE_FALSE(line);
  CHECK(line.error().message.find("did you mean '--goroutine'?") != std::string::npos);
}

TEST_CASE("a flag that is nothing like any is answered with all there are") {
  const auto line = parse("doctor", {"--xyzzy"}, Host::lldb);
  REQUIRE_FALSE(line);
  CHECK(line.error().message.find("it takes --json") != std::string::npos);
}

TEST_CASE("what is given in the wrong place is told the right one") {
  const auto negative = parse("print", {"-1"});
  REQUIRE_FALSE(negative);
  CHECK(negative.error().message.find("comes after '--'") != std::string::npos);
  const auto program = parse("bt", {"--core", "core", "program"});
  REQUIRE_FALSE(program);
  CHECK(program.error().message.find("--exe") != std::string::npos);
}

TEST_CASE("wrong values are errors that name the flag") {
  const std::vector<std::vector<std::string>> wrong = {{"--limit"},
                                                       {"--limit", "ten"},
                                                       {"--limit", "-1"},
                                                       {"--limit="},
                                                       {"--limit", "1x"},
                                                       {"--json=yes"},
                                                       {"--limit", "99999999999999999999"},
                                                       {"--raw", "--raw"},
                                                       {"surplus"},
                                                       {"--core", ""}};
  for (const auto& words : wrong) {
    const auto line = parse("bt", words);
    CAPTURE(words);
    REQUIRE_FALSE(line);
    CHECK_FALSE(line.error().message.empty());
  }
}

TEST_CASE("flags that name a target exist in the headless program alone") {
  CHECK(parse("bt", {"--pid", "1"}, Host::headless));
  CHECK_FALSE(parse("bt", {"--pid", "1"}, Host::lldb));
}

TEST_CASE("a required argument may not be missing") {
  CHECK_FALSE(parse("frame", {}, Host::lldb));
  CHECK_FALSE(parse("frame", {"up"}, Host::lldb));
  CHECK(parse("frame", {"3"}, Host::lldb));
}

TEST_CASE("what follows -- belongs to the script") {
  const auto line = parse("script", {"report.py", "--core", "c", "--", "--limit", "x"});
  REQUIRE(line);
  CHECK(line->text("--core") == "c");
  CHECK(line->positionals == std::vector<std::string>{"report.py", "--limit", "x"});
}

TEST_CASE("the target may be named before or behind a script's arguments") {
  const auto line = parse("script", {"report.py", "a", "--verbose", "-n=3", "--core", "c", "b"});
  REQUIRE(line);
  CHECK(line->text("--core") == "c");
  CHECK(line->positionals == std::vector<std::string>{"report.py", "a", "--verbose", "-n=3", "b"});
  CHECK_FALSE(parse("script", {"report.py", "--croe", "c"}));
}

TEST_CASE("what follows -- is the program of a command that starts one") {
  const auto line = parse("trace", {"^f$", "--for", "1s", "--", "prog", "--for", "--", "x"});
  REQUIRE(line);
  CHECK(line->positionals == std::vector<std::string>{"^f$"});
  CHECK(line->program == std::vector<std::string>{"prog", "--for", "--", "x"});
  CHECK(line->text("--for") == "1s");
  CHECK_FALSE(parse("trace", {"--core", "core"}));
  const auto of_script = parse("script", {"file", "--", "a"});
  REQUIRE(of_script);
  CHECK(of_script->program.empty());
}

TEST_CASE("durations have a unit") {
  CHECK(parse_duration_ns("10ms") == 10'000'000);
  CHECK(parse_duration_ns("1.5s") == 1'500'000'000);
  CHECK(parse_duration_ns("2m") == 120'000'000'000);
  CHECK(parse_duration_ns("0ns") == 0);
  for (const char* wrong : {"", "10", "s", "-1s", "1 s", "nans", "1e30s", "1ss"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration_ns(wrong));
  }
}

TEST_CASE("help is asked for anywhere, whatever else is wrong") {
  const auto line = parse("bt", {"--help", "--nonsense"});
  REQUIRE(line);
  CHECK(line->help);
}

TEST_CASE("commands exist where the table says") {
  CHECK(find_command("frame", Host::lldb) != nullptr);
  CHECK(find_command("frame", Host::headless) == nullptr);
  CHECK(find_command("script", Host::lldb) == nullptr);
  CHECK(unknown_command("gorutines", Host::lldb).message.find("'goroutines'") != std::string::npos);
}

TEST_CASE("the table has no name twice and says what a user must know of each command") {
  std::set<std::pair<Host, std::string_view>> names;
  for (const Command& command : command_table()) {
    CAPTURE(command.name);
    for (const Host host : {Host::lldb, Host::headless})
      if (exists_in(command.host, host)) CHECK(names.insert({host, command.name}).second);
    CHECK(command.summary.ends_with('.'));
    CHECK(command.cost.ends_with('.'));
    std::set<std::string_view> flags;
    for (const Flag& flag : flags_of(command, Host::headless)) {
      CHECK(flags.insert(flag.name).second);
      CHECK(flag.name.starts_with("--"));
      CHECK((flag.kind == ValueKind::none) == flag.value_name.empty());
    }
  }
}

TEST_CASE("a word that is too far from all is not taken for a slip") {
  const std::string_view names[] = {"bt", "doctor", "goroutines"};
  CHECK(nearest("docter", names) == "doctor");
  CHECK(nearest("tb", names) == "bt");
  CHECK(nearest("memory", names).empty());
  CHECK(nearest("", names).empty());
}

TEST_CASE("numbers are decimal or hexadecimal and fit") {
  CHECK(parse_number("0x10") == 16);
  CHECK(parse_number("18446744073709551615") == UINT64_MAX);
  for (const char* wrong : {"", "0x", "+1", " 1", "1 ", "0b1", "18446744073709551616"})
    CHECK_FALSE(parse_number(wrong));
}

}  // namespace
}  // namespace cgo
