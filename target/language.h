#pragma once

#include <cstdint>

namespace cgo {

/// What a unit of code is written in.
enum class Language : std::uint8_t { go, c, cxx, assembly, unknown };

}  // namespace cgo
