#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "heap/agent_tables.h"

namespace cgo {

/// What the agent in a program does, as its header and counters say.
struct AgentStatus {
  enum class Kind : std::uint8_t {
    absent,       ///< There is none in the program.
    not_started,  ///< It is loaded and could not begin.
    recording,
    paused,       ///< It was switched off; calls do not reach it.
    bypassed,     ///< The program's malloc is another one: it sees no calls.
    other_build,  ///< It writes tables that are not known here.
    unreadable,
  };
  Kind kind = Kind::absent;
  std::string why;  ///< Of absent, not_started, other_build and unreadable.

  // Of recording, paused and bypassed:
  bool late = false;  ///< It came into a running process.
  std::uint64_t sample_bytes = 0, quarantine_bytes = 0;
  std::uint64_t since_ns = 0;  ///< When it began, since 1970.
  std::uint32_t pid = 0, forks = 0;
  std::string allocator;  ///< The file whose malloc serves the program; may be empty.
  agent::Counters counters{};
  std::uint64_t stacks = 0;
  std::uint64_t table_bytes = 0;  ///< Of memory in use for its tables.
  std::optional<Error> problem;   ///< What of the counters could not be read.

  std::uint64_t live_blocks() const;
  std::uint64_t live_bytes() const;
};

AgentStatus read_agent_status(const MemoryReader& memory, const ImageMap& images);

/// "recording" and the like, as in lldb-cgo/heap-track/1.
std::string_view format_agent_kind(AgentStatus::Kind kind);

}  // namespace cgo
