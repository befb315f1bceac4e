#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "target/result.h"

namespace cgo {

/// Where a thread comes by once for each panic, as addresses of its file.
struct PanicSite {
  /// In runtime.gopanic, behind the check that the stack is large enough, which begins anew on a
  /// larger one: what was passed is still in its registers.
  std::uint64_t arrival = 0;
  /// Further on in straight code; 0 where there is no such place. An arrival that is not followed
  /// by this one is the same again: a signal came between.
  std::uint64_t passed = 0;
};

/// Those of each Go runtime in a program or library; empty where it has none.
Result<std::vector<PanicSite>> panic_sites(const std::string& path);

}  // namespace cgo
