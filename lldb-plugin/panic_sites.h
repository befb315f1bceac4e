#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lldb-plugin/arrival_sites.h"
#include "target/result.h"

namespace cgo {

/// Where a thread comes by once for each panic: in runtime.gopanic, behind the check that the stack
/// is large enough, which begins anew on a larger one. What was passed is still in its registers.
/// Of each Go runtime in a program or library; empty where it has none.
Result<std::vector<ArrivalSite>> panic_sites(const std::string& path);

}  // namespace cgo
