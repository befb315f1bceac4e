#include "lldb-plugin/track_status.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "unwind/format.h"

namespace cgo {
namespace {

using Kind = AgentStatus::Kind;

constexpr std::uint32_t kInterpreter = 3;  // PT_INTERP

std::string time_text(std::uint64_t ns) {
  constexpr std::uint64_t kPerSecond = 1'000'000'000, kLastYear = 253'402'300'800;
  const std::uint64_t seconds = std::min(ns / kPerSecond, kLastYear - 1);
  return fmt::format("{:%F %T} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// Why a program that was started with LD_PRELOAD would not have the agent.
std::string why_absent(const Stop& stop) {
  if (stop.debuggee->started_secure().value_or(false))
    return "it was started with other rights than its starter's (set-user-id or the like): the "
           "loader ignores LD_PRELOAD";
  for (const Image& image : stop.program->images->all()) {
    if (!image.file || image.file->entry().value == 0) continue;
    if (image.file->type() != 2 && image.file->type() != 3) continue;
    // The program comes first.
    return preload_ignored(*image.file).value_or("");
  }
  return "";
}

std::string counters_text(const AgentStatus& status) {
  const agent::Counters& all = status.counters;
  const bool sampled = status.sample_bytes != 0;
  std::string out =
      fmt::format("  {} {} ({} bytes) live; {} allocations, {} frees and {} stacks recorded\n",
                  status.live_blocks(), sampled ? "sampled blocks" : "blocks", status.live_bytes(),
                  all.allocations, all.frees, status.stacks);
  out += fmt::format("  {} lost, {} without a stack, {} frees of blocks without a record\n",
                     all.lost, all.without_stack, all.unknown_frees);
  return out;
}

std::string how(const AgentStatus& status) {
  if (status.sample_bytes == 0) return "every allocation";
  return fmt::format("samples, one in {} bytes", status.sample_bytes);
}

std::string head(const AgentStatus& status, const Stop& stop) {
  switch (status.kind) {
    case Kind::absent: {
      const std::string why = why_absent(stop);
      return "no agent" + (why.empty() ? "" : ": " + why) + "\n";
    }
    case Kind::not_started:
    case Kind::other_build:
    case Kind::unreadable:
      return "the agent cannot be used: " + escaped(status.why) + "\n";
    case Kind::paused:
      return "the agent was switched off; what it had recorded is not used\n";
    case Kind::bypassed:
      return "the agent is there and sees nothing: the program's malloc is not its\n";
    case Kind::recording:
      break;
  }
  return fmt::format("records {} since {}{}\n", how(status), time_text(status.since_ns),
                     status.late ? "; older blocks have no record" : "");
}

}  // namespace

std::optional<std::string> preload_ignored(const ElfFile& program) {
  for (const ElfSegment& segment : program.segments())
    if (segment.type == kInterpreter) return std::nullopt;
  return "the program is linked statically: no loader looks at LD_PRELOAD";
}

std::string agent_status_text(const AgentStatus& status, const Stop& stop) {
  std::string out = head(status, stop);
  if (status.kind == Kind::recording) out += counters_text(status);
  if (status.kind == Kind::recording || status.kind == Kind::bypassed) {
    out += fmt::format("  {} bytes of tables", status.table_bytes);
    if (status.quarantine_bytes != 0)
      out +=
          fmt::format("; each thread holds back {} bytes of freed blocks", status.quarantine_bytes);
    if (!status.allocator.empty()) out += "; malloc of " + escaped(status.allocator);
    out += "\n";
  }
  return out;
}

std::string agent_status_json(const AgentStatus& status) {
  const bool has_tables = status.kind == Kind::recording || status.kind == Kind::paused ||
                          status.kind == Kind::bypassed;
  const std::string state = fmt::format(R"({{"agent":"{}")", format_agent_kind(status.kind));
  if (!has_tables)
    return state + R"(,"why":)" + (status.why.empty() ? "null" : json_string(status.why)) + "}";
  const agent::Counters& all = status.counters;
  return state +
         fmt::format(
             R"(,"why":null,"since_ns":{},"late":{},"sample_bytes":{},"quarantine_bytes":{},)"
             R"("live_blocks":{},"live_bytes":{},"allocations":{},"frees":{},"stacks":{},)"
             R"("lost":{},"without_stack":{},"unknown_frees":{},"table_bytes":{},"allocator":{}}})",
             status.since_ns, status.late, status.sample_bytes, status.quarantine_bytes,
             status.live_blocks(), status.live_bytes(), all.allocations, all.frees, status.stacks,
             all.lost, all.without_stack, all.unknown_frees, status.table_bytes,
             status.allocator.empty() ? "null" : json_string(status.allocator));
}

std::string track_json(std::string_view keys) {
  return fmt::format(R"({{"schema":"lldb-cgo/heap-track/1",{}}})", keys) + "\n";
}

Answer track_status(CommandContext& context, const CommandLine& line) {
  const auto found = context.subject.stop();
  if (!found) return no_stop(found.error());
  const Stop& stop = **found;
  const AgentStatus status = read_agent_status(stop.debuggee->memory(), *stop.program->images);
  Answer answer;
  if (status.problem) {
    answer.warnings.push_back(status.problem->message);
    answer.status = ExitStatus::partial;
  }
  if (line.has("--json"))
    answer.out = track_json(R"("process":)" + agent_status_json(status) + partial_json(answer));
  else
    answer.out = "this process: " + agent_status_text(status, stop);
  return answer;
}

}  // namespace cgo
