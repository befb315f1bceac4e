#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "heap/agent_status.h"
#include "lldb-plugin/command_context.h"

namespace cgo {

/// `cgo heap track status` of a process or core.
Answer track_status(CommandContext& context, const CommandLine& line);

/// "records every allocation since …", several lines.
std::string agent_status_text(const AgentStatus& status, const Stop& stop);
/// An object, as "process" of lldb-cgo/heap-track/1 has it.
std::string agent_status_json(const AgentStatus& status);
/// `{"schema":"lldb-cgo/heap-track/1",` … `}` around the keys.
std::string track_json(std::string_view keys);

/// Why the loader gives no library of LD_PRELOAD to this program, where its file tells.
std::optional<std::string> preload_ignored(const ElfFile& program);

}  // namespace cgo
