#include "target/dwarf_unit.h"

#include "target/dwarf_constants.h"
#include "target/dwarf_file.h"

namespace cgo {

const DwarfSections& DwarfUnit::sections() const { return file->sections(); }

Error dwarf_error(DwarfPlace place, std::string_view what) {
  const DwarfSections& sections = place.unit->sections();
  return {ErrorCode::malformed_data, sections.file().path() + ": " +
                                         std::string(sections.name(DwarfSection::info)) + "+" +
                                         hex(place.offset) + ": " + std::string(what)};
}

void DwarfUnit::skip(DwarfCursor& cursor, const DwarfAbbrev& abbrev) const {
  if (abbrev.fixed) {
    cursor.skip(abbrev.fixed_bytes + std::uint64_t{abbrev.addresses} * header.address_bytes +
                std::uint64_t{abbrev.offsets} * (header.dwarf64 ? 8 : 4));
    return;
  }
  for (const DwarfAttributeSpec& spec : abbrevs->specs(abbrev)) {
    read(cursor, spec);
    if (!cursor.ok()) return;
  }
}

DwarfValue DwarfUnit::read(DwarfCursor& cursor, const DwarfAttributeSpec& spec) const {
  DwarfValue value{.form = spec.form};
  if (value.form == dw::FORM_indirect) {
    const std::uint64_t form = cursor.uleb();
    // An implicit constant has no place for its value here, and one level of indirection is all
    // that has a use.
    if (form > 0xffff || form == dw::FORM_indirect || form == dw::FORM_implicit_const)
      cursor.fail();
    value.form = static_cast<std::uint16_t>(form);
  }
  const auto text_block = [&](std::string_view text) {
    value.block = std::as_bytes(std::span(text));
  };
  switch (value.form) {
    case dw::FORM_addr:
      value.number = cursor.sized(header.address_bytes);
      break;
    case dw::FORM_data1:
    case dw::FORM_flag:
    case dw::FORM_ref1:
    case dw::FORM_strx1:
    case dw::FORM_addrx1:
      value.number = cursor.u8();
      break;
    case dw::FORM_data2:
    case dw::FORM_ref2:
    case dw::FORM_strx2:
    case dw::FORM_addrx2:
      value.number = cursor.u16();
      break;
    case dw::FORM_strx3:
    case dw::FORM_addrx3:
      value.number = cursor.u24();
      break;
    case dw::FORM_data4:
    case dw::FORM_ref4:
    case dw::FORM_strx4:
    case dw::FORM_addrx4:
    case dw::FORM_ref_sup4:
      value.number = cursor.u32();
      break;
    case dw::FORM_data8:
    case dw::FORM_ref8:
    case dw::FORM_ref_sig8:
    case dw::FORM_ref_sup8:
      value.number = cursor.u64();
      break;
    case dw::FORM_data16:
      value.block = cursor.block(16);
      break;
    case dw::FORM_sdata:
      value.number = static_cast<std::uint64_t>(cursor.sleb());
      break;
    case dw::FORM_udata:
    case dw::FORM_ref_udata:
    case dw::FORM_strx:
    case dw::FORM_addrx:
    case dw::FORM_loclistx:
    case dw::FORM_rnglistx:
    case dw::FORM_GNU_addr_index:
    case dw::FORM_GNU_str_index:
      value.number = cursor.uleb();
      break;
    case dw::FORM_strp:
    case dw::FORM_line_strp:
    case dw::FORM_sec_offset:
    case dw::FORM_strp_sup:
    case dw::FORM_GNU_ref_alt:
    case dw::FORM_GNU_strp_alt:
      value.number = cursor.offset(header.dwarf64);
      break;
    case dw::FORM_ref_addr:
      value.number =
          header.version <= 2 ? cursor.sized(header.address_bytes) : cursor.offset(header.dwarf64);
      break;
    case dw::FORM_string:
      text_block(cursor.text());
      break;
    case dw::FORM_block1:
      value.block = cursor.block(cursor.u8());
      break;
    case dw::FORM_block2:
      value.block = cursor.block(cursor.u16());
      break;
    case dw::FORM_block4:
      value.block = cursor.block(cursor.u32());
      break;
    case dw::FORM_block:
    case dw::FORM_exprloc:
      value.block = cursor.block(cursor.uleb());
      break;
    case dw::FORM_flag_present:
      value.number = 1;
      break;
    case dw::FORM_implicit_const:
      value.number = static_cast<std::uint64_t>(spec.implicit_const);
      break;
    default:
      cursor.fail();
      break;
  }
  return value;
}

Result<std::string_view> DwarfUnit::text(const DwarfValue& value) const {
  switch (value.form) {
    case dw::FORM_string:
      return std::string_view(reinterpret_cast<const char*>(value.block.data()),
                              value.block.size());
    case dw::FORM_strp:
      return sections().string(DwarfSection::str, value.number);
    case dw::FORM_line_strp:
      return sections().string(DwarfSection::line_str, value.number);
    case dw::FORM_strx:
    case dw::FORM_strx1:
    case dw::FORM_strx2:
    case dw::FORM_strx3:
    case dw::FORM_strx4:
    case dw::FORM_GNU_str_index:
      return indexed_text(value.number);
    case dw::FORM_GNU_strp_alt:
    case dw::FORM_strp_sup: {
      auto other = file->supplement();
      if (!other) return std::move(other).error();
      return (*other)->sections().string(DwarfSection::str, value.number);
    }
    default:
      return dwarf_error({this, header.offset}, "a text has form " + hex(value.form));
  }
}

Result<std::string_view> DwarfUnit::indexed_text(std::uint64_t index) const {
  auto offsets = sections().bytes(DwarfSection::str_offsets);
  if (!offsets) return std::move(offsets).error();
  const unsigned size = header.dwarf64 ? 8 : 4;
  std::uint64_t at = 0;
  if (__builtin_mul_overflow(index, size, &at) || __builtin_add_overflow(at, str_offsets_base, &at))
    at = offsets->size();
  DwarfCursor cursor(*offsets, at);
  const std::uint64_t offset = cursor.sized(size);
  if (!cursor.ok()) return dwarf_error({this, header.offset}, "no string number " + hex(index));
  return sections().string(DwarfSection::str, offset);
}

Result<std::uint64_t> DwarfUnit::indexed_address(std::uint64_t index) const {
  const DwarfUnit& holder = skeleton ? *skeleton : *this;
  auto addresses = holder.sections().bytes(DwarfSection::addr);
  if (!addresses) return std::move(addresses).error();
  std::uint64_t at = 0;
  if (__builtin_mul_overflow(index, holder.header.address_bytes, &at) ||
      __builtin_add_overflow(at, holder.addr_base, &at))
    at = addresses->size();
  DwarfCursor cursor(*addresses, at);
  const std::uint64_t address = cursor.sized(holder.header.address_bytes);
  if (!cursor.ok()) return dwarf_error({this, header.offset}, "no address number " + hex(index));
  return address;
}

Result<std::uint64_t> DwarfUnit::address(const DwarfValue& value) const {
  switch (value.form) {
    case dw::FORM_addr:
      return value.number;
    case dw::FORM_addrx:
    case dw::FORM_addrx1:
    case dw::FORM_addrx2:
    case dw::FORM_addrx3:
    case dw::FORM_addrx4:
    case dw::FORM_GNU_addr_index:
      return indexed_address(value.number);
    default:
      return dwarf_error({this, header.offset}, "an address has form " + hex(value.form));
  }
}

std::optional<std::uint64_t> DwarfUnit::number(const DwarfValue& value) const {
  switch (value.form) {
    case dw::FORM_sdata:
    case dw::FORM_implicit_const:
      if (static_cast<std::int64_t>(value.number) < 0) return std::nullopt;
      return value.number;
    case dw::FORM_data1:
    case dw::FORM_data2:
    case dw::FORM_data4:
    case dw::FORM_data8:
    case dw::FORM_udata:
    case dw::FORM_flag:
    case dw::FORM_flag_present:
    case dw::FORM_sec_offset:
    case dw::FORM_rnglistx:
      return value.number;
    default:
      return std::nullopt;
  }
}

Result<DwarfPlace> DwarfUnit::reference(const DwarfValue& value) const {
  const DwarfPlace here{this, header.offset};
  switch (value.form) {
    case dw::FORM_ref1:
    case dw::FORM_ref2:
    case dw::FORM_ref4:
    case dw::FORM_ref8:
    case dw::FORM_ref_udata:
      if (value.number >= header.end - header.offset)
        return dwarf_error(here, "a reference leaves the unit");
      return DwarfPlace{this, header.offset + value.number};
    case dw::FORM_ref_addr:
      return file->place_at(value.number);
    case dw::FORM_ref_sig8:
      return file->type_with_signature(value.number);
    case dw::FORM_GNU_ref_alt:
    case dw::FORM_ref_sup4:
    case dw::FORM_ref_sup8: {
      auto other = file->supplement();
      if (!other) return std::move(other).error();
      return (*other)->place_at(value.number);
    }
    default:
      return dwarf_error(here, "a reference has form " + hex(value.form));
  }
}

Result<DwarfDie> read_die(DwarfPlace place) {
  const DwarfUnit& unit = *place.unit;
  if (place.offset < unit.header.first_die || place.offset >= unit.header.end)
    return dwarf_error(place, "no entry begins here");
  DwarfCursor cursor(unit.info, place.offset);
  const std::uint64_t code = cursor.uleb();
  const DwarfAbbrev* abbrev = cursor.ok() ? unit.abbrevs->find(code) : nullptr;
  if (!abbrev) return dwarf_error(place, "abbreviation " + hex(code) + " is not defined");
  return DwarfDie{&unit, place.offset, cursor.position(), abbrev};
}

}  // namespace cgo
