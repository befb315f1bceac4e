#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cgo {

// The values of LD_PRELOAD and LLDB_CGO_AGENT in a launch environment: what of them is the user's
// stays as it is.

/// LD_PRELOAD with `agent` in front of what is there, which may have an older path of it.
std::string with_agent(std::string_view preload, std::string_view agent);
/// LD_PRELOAD without any path of the agent.
std::string without_agent(std::string_view preload);
/// The path of the agent in LD_PRELOAD; empty when there is none.
std::string agent_in(std::string_view preload);

/// LLDB_CGO_AGENT with `options` behind the user's, which the agent then believes. A word between
/// them, which the agent passes over, says whose they are.
std::string with_options(std::string_view value, std::string_view options);
/// LLDB_CGO_AGENT as the user had it.
std::string without_options(std::string_view value);

/// "512k" and the like, as the agent takes them.
bool is_byte_count(std::string_view text);

}  // namespace cgo
