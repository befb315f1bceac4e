#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/image_bytes.h"

namespace cgo {

/// Where the variables of a runtime lie; 0 for those that were not found.
struct RuntimeGlobals {
  Address allgs, allm, wait_reason_strings;
  std::optional<std::int64_t> g_tls_offset;
  std::vector<std::string> notes;  ///< How each was found, or what was tried.
};

/// Finds them by symbol, or in a stripped binary from the operands of runtime functions that use
/// them. An address that comes from code is believed only where memory there looks as it must.
RuntimeGlobals find_runtime_globals(const ImageBytes& image, const GoModule& module,
                                    const RuntimeLayout& layout);

/// Whether the ms in memory confirm a layout: each m's g0 must point back at it. not_found when
/// there are no ms to ask.
Result<void> confirm_layout(const MemoryReader& memory, const RuntimeLayout& layout, Address allm);

}  // namespace cgo
