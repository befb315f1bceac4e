#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "goruntime/go_version.h"

namespace cgo {

/// The text of a wait reason as the sources of the release have it, or nothing: for binaries whose
/// own table cannot be found.
std::optional<std::string_view> wait_reason_for(GoVersion version, std::uint8_t number);

/// How many reasons the release has; those of the newest known one for a newer one.
std::size_t wait_reason_count(GoVersion version);

}  // namespace cgo
