#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lldb-plugin/command_table.h"
#include "target/result.h"

namespace cgo {

/// A command line that fits the table.
struct CommandLine {
  const Command* command = nullptr;
  std::map<std::string, std::string, std::less<>>
      flags;  ///< By name with dashes; "" without value.
  std::vector<std::string> positionals;
  std::vector<std::string> program;  ///< What is behind "--", of commands that start one.
  bool help = false;                 ///< --help or -h was given; nothing else was checked.

  bool has(std::string_view flag) const { return flags.contains(flag); }
  std::optional<std::string> text(std::string_view flag) const;
  /// The value of a flag of kind number, which parsing has checked.
  std::optional<std::uint64_t> number(std::string_view flag) const;
};

/// Reads the words after the command's name. Flags are "--name VALUE" or "--name=VALUE", anywhere;
/// "--" ends them. A mistyped flag is an error that names the nearest one; behind the first
/// argument of a script it is the script's.
Result<CommandLine> parse_command_line(const Command& command, std::span<const std::string> words,
                                       Host host);

/// An unsigned number, decimal or 0x….
std::optional<std::uint64_t> parse_number(std::string_view text);

/// "10ms", "1.5s", "250us", "300ns", "5m", "1h" in nanoseconds; nothing for what is no duration.
std::optional<std::int64_t> parse_duration_ns(const std::string& text);

/// The candidate nearest to `word` when it is near enough to be a slip of the finger; else "".
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// "no command 'bkt'; did you mean 'bt'?"
Error unknown_command(std::string_view name, Host host);

/// All flags a command takes in `host`.
std::vector<Flag> flags_of(const Command& command, Host host);

}  // namespace cgo
