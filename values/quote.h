#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cgo {

/// The text in double quotes with everything escaped that does not print, as Go's %q; bytes that
/// are not UTF-8 as \xNN.
std::string quoted(std::string_view text);
/// One character in single quotes.
std::string quoted_character(std::uint32_t character);
/// How many bytes of `text` are whole UTF-8 characters: less than all of it where it was cut.
std::size_t whole_characters(std::string_view text);

}  // namespace cgo
