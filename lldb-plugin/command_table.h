#pragma once

#include <span>
#include <string_view>

namespace cgo {

/// What may follow a flag.
enum class ValueKind : std::uint8_t { none, number, text, file };

/// Where a command or flag exists.
enum class Host : std::uint8_t { both, lldb, headless };

struct Flag {
  std::string_view name;  ///< With its dashes: "--limit".
  ValueKind kind = ValueKind::none;
  std::string_view value_name;  ///< "N" in "--limit N"; empty for kind none.
  std::string_view help;
  Host host = Host::both;
};

struct Positional {
  std::string_view name;  ///< "N", "COMMAND".
  ValueKind kind = ValueKind::text;
  bool required = false;
  bool repeats = false;  ///< The last one of a command may take all the rest.
  std::string_view help;
};

/// How much of a target a command needs before it can run.
enum class Needs : std::uint8_t {
  nothing,
  program,  ///< A process, a core, or just the file of a program.
  process,
  running,  ///< A process of this machine that goes on, or `-- PROGRAM ARGS…`, which is started.
};

/// One command, as everything that shows, parses or completes commands knows it.
struct Command {
  std::string_view name;
  std::string_view summary;  ///< One sentence.
  std::span<const Positional> positionals;
  std::span<const Flag> flags;
  std::string_view example;  ///< Arguments after the name, without "cgo" and without the target.
  std::string_view cost;     ///< What running it does to the process, and how long it takes.
  Host host = Host::both;
  Needs needs = Needs::process;
};

/// Every command there is, in the order help shows them. Serves the plugin, the headless program,
/// help, completion and the man page; nothing else lists commands.
std::span<const Command> command_table();

/// The flags that say what a headless command looks at.
std::span<const Flag> target_flags();

/// The command of this name that exists in `host`, or null.
const Command* find_command(std::string_view name, Host host);

/// Whether something declared for `declared` is there in `host`.
constexpr bool exists_in(Host declared, Host host) {
  return declared == Host::both || declared == host;
}

}  // namespace cgo
