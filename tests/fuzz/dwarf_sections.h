#pragma once

#include <array>
#include <string_view>

namespace cgo {

/// Inputs of the DWARF fuzzer are sections: each a number of this list (one byte), its size (four
/// bytes) and its contents.
inline constexpr std::array<std::string_view, 12> kFuzzedSections{
    ".debug_info",        ".debug_abbrev",  ".debug_line",     ".debug_str",
    ".debug_line_str",    ".debug_ranges",  ".debug_rnglists", ".debug_addr",
    ".debug_str_offsets", ".debug_aranges", ".debug_loc",      ".debug_loclists"};

}  // namespace cgo
