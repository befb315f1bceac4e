#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "support/dwarf_builder.h"

namespace cgo {

/// Inputs of the DWARF fuzzer are sections: each a number of this list (one byte), its size (four
/// bytes) and its contents.
inline constexpr std::array<std::string_view, 12> kFuzzedSections{
    ".debug_info",        ".debug_abbrev",  ".debug_line",     ".debug_str",
    ".debug_line_str",    ".debug_ranges",  ".debug_rnglists", ".debug_addr",
    ".debug_str_offsets", ".debug_aranges", ".debug_loc",      ".debug_loclists"};

/// Appends the sections as such an input.
inline void append_sections(const DwarfBuilder::Sections& sections, ByteWriter& out) {
  for (const auto& [name, contents] : sections) {
    const auto kind = std::find(kFuzzedSections.begin(), kFuzzedSections.end(), name);
    out.u8(static_cast<std::uint8_t>(kind - kFuzzedSections.begin()));
    out.u32(static_cast<std::uint32_t>(contents.size())).bytes(contents);
  }
}

}  // namespace cgo
