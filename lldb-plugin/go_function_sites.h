#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lldb-plugin/arrival_sites.h"
#include "target/result.h"

namespace cgo {

/// Where a thread comes by once for each call of a function of Go's runtime: behind the check that
/// the stack is large enough, which begins anew on a larger one. What was passed is still in its
/// registers. Of each Go runtime in a program or library; empty where it has none.
Result<std::vector<ArrivalSite>> go_function_sites(const std::string& path, std::string_view name);

/// Whether a module may hold Go code, which is in sections of its own in what Go's linker or
/// another made.
bool has_go(lldb::SBModule module);

}  // namespace cgo
