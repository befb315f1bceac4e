#pragma once

#include <cstdint>
#include <string>

namespace cgo {

/// One of C++'s wider characters, a code point of Unicode; what is none as \xNN.
std::string quoted_wide(std::uint32_t point);
/// Appends a code point as UTF-8; U+FFFD for what is none.
void append_utf8(std::string& out, std::uint32_t point);

}  // namespace cgo
