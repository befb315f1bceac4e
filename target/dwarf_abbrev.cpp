#include "target/dwarf_abbrev.h"

#include <limits>

#include "target/dwarf_constants.h"
#include "target/dwarf_cursor.h"

namespace cgo {
namespace {

/// Adds the size of one value to what is known of the entry's size.
void measure(DwarfAbbrev& abbrev, std::uint16_t form) {
  switch (form) {
    case dw::FORM_flag_present:
    case dw::FORM_implicit_const:
      return;
    case dw::FORM_data1:
    case dw::FORM_flag:
    case dw::FORM_ref1:
    case dw::FORM_strx1:
    case dw::FORM_addrx1:
      abbrev.fixed_bytes += 1;
      return;
    case dw::FORM_data2:
    case dw::FORM_ref2:
    case dw::FORM_strx2:
    case dw::FORM_addrx2:
      abbrev.fixed_bytes += 2;
      return;
    case dw::FORM_strx3:
    case dw::FORM_addrx3:
      abbrev.fixed_bytes += 3;
      return;
    case dw::FORM_data4:
    case dw::FORM_ref4:
    case dw::FORM_strx4:
    case dw::FORM_addrx4:
    case dw::FORM_ref_sup4:
      abbrev.fixed_bytes += 4;
      return;
    case dw::FORM_data8:
    case dw::FORM_ref8:
    case dw::FORM_ref_sig8:
    case dw::FORM_ref_sup8:
      abbrev.fixed_bytes += 8;
      return;
    case dw::FORM_data16:
      abbrev.fixed_bytes += 16;
      return;
    case dw::FORM_addr:
      ++abbrev.addresses;
      return;
    case dw::FORM_strp:
    case dw::FORM_line_strp:
    case dw::FORM_sec_offset:
    case dw::FORM_strp_sup:
    case dw::FORM_GNU_ref_alt:
    case dw::FORM_GNU_strp_alt:
      ++abbrev.offsets;
      return;
    default:
      abbrev.fixed = false;
      return;
  }
}

Error malformed(std::uint64_t offset, const char* what) {
  return {ErrorCode::malformed_data, "abbreviations at " + hex(offset) + ": " + what};
}

}  // namespace

Result<DwarfAbbrevTable> DwarfAbbrevTable::parse(ByteView section, std::uint64_t offset,
                                                 std::uint64_t& bytes_used) {
  constexpr std::uint32_t kMostSpecs = 4096;  // Of one entry; keeps the 16-bit counts exact.
  DwarfAbbrevTable table;
  DwarfCursor cursor(section, offset);
  for (;;) {
    const std::uint64_t code = cursor.uleb();
    bytes_used = cursor.position() - std::min(offset, cursor.position());
    if (!cursor.ok()) return malformed(offset, "the table does not end");
    if (code == 0) return table;
    DwarfAbbrev abbrev{.tag = static_cast<std::uint32_t>(cursor.uleb()),
                       .has_children = cursor.u8() != 0,
                       .fixed = true,
                       .first_spec = static_cast<std::uint32_t>(table.specs_.size())};
    for (;;) {
      const std::uint64_t name = cursor.uleb();
      const std::uint64_t form = cursor.uleb();
      if (!cursor.ok()) return malformed(offset, "the table does not end");
      if (name == 0 && form == 0) break;
      if (++abbrev.spec_count > kMostSpecs || name > 0xffff || form > 0xffff)
        return malformed(offset, "an entry makes no sense");
      DwarfAttributeSpec spec{.name = static_cast<std::uint16_t>(name),
                              .form = static_cast<std::uint16_t>(form)};
      if (form == dw::FORM_implicit_const) spec.implicit_const = cursor.sleb();
      abbrev.has_sibling |= name == dw::AT_sibling;
      measure(abbrev, spec.form);
      table.specs_.push_back(spec);
    }
    if (code == table.dense_.size() + 1)
      table.dense_.push_back(abbrev);
    else if (code <= table.dense_.size() || !table.sparse_.try_emplace(code, abbrev).second)
      return malformed(offset, "a code is defined twice");
  }
}

}  // namespace cgo
