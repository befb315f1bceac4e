#include "heap/agent_status.h"

namespace cgo {
namespace {

using Kind = AgentStatus::Kind;

/// What is in the program: there is a header, but it is not one of running tables.
AgentStatus without_tables(const Error& error) {
  AgentStatus out{.kind = Kind::unreadable, .why = error.message};
  if (error.code == ErrorCode::unsupported) out.kind = Kind::other_build;
  if (error.code == ErrorCode::not_found) out.kind = Kind::not_started;
  return out;
}

Kind kind_of(const agent::Header& header) {
  if (header.state == agent::State::paused) return Kind::paused;
  if (header.state != agent::State::recording) return Kind::unreadable;
  return (header.flags & agent::kBypassed) != 0 ? Kind::bypassed : Kind::recording;
}

std::uint64_t difference(std::uint64_t more, std::uint64_t less) {
  return more > less ? more - less : 0;
}

}  // namespace

std::uint64_t AgentStatus::live_blocks() const {
  return difference(counters.allocations, counters.frees);
}
std::uint64_t AgentStatus::live_bytes() const {
  return difference(counters.allocated_bytes, counters.freed_bytes);
}

AgentStatus read_agent_status(const MemoryReader& memory, const ImageMap& images) {
  const auto at = find_agent_header(memory, images);
  if (!at) return {.kind = Kind::absent, .why = at.error().message};
  const auto tables = AgentTables::open(memory, *at);
  if (!tables) return without_tables(tables.error());
  const agent::Header& header = tables->header();
  AgentStatus out{.kind = kind_of(header),
                  .why = {},
                  .late = (header.flags & agent::kLateStart) != 0,
                  .sample_bytes = header.sample_bytes,
                  .quarantine_bytes = header.quarantine_bytes,
                  .since_ns = header.start.realtime_ns,
                  .pid = header.pid,
                  .forks = header.forks,
                  .allocator = tables->allocator(),
                  .table_bytes = tables->table_bytes()};
  if (out.kind == Kind::unreadable) out.why = "its state is none that there is";
  if (auto counters = tables->totals())
    out.counters = *counters;
  else
    out.problem = std::move(counters).error();
  if (auto stacks = tables->stack_count())
    out.stacks = *stacks;
  else if (!out.problem)
    out.problem = std::move(stacks).error();
  return out;
}

std::string_view format_agent_kind(AgentStatus::Kind kind) {
  switch (kind) {
    case Kind::absent:
      return "absent";
    case Kind::not_started:
      return "not_started";
    case Kind::recording:
      return "recording";
    case Kind::paused:
      return "off";
    case Kind::bypassed:
      return "bypassed";
    case Kind::other_build:
      return "other_build";
    case Kind::unreadable:
      break;
  }
  return "unreadable";
}

}  // namespace cgo
