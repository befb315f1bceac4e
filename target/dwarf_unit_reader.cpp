#include "target/dwarf_unit_reader.h"

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

/// The attributes of a unit's own entry that need the unit's bases to be understood.
struct Texts {
  DwarfValue name, comp_dir, producer, dwo_name, go_package;
};

void take(DwarfUnit& unit, Texts& texts, std::uint16_t name, const DwarfValue& value) {
  const std::uint64_t number = unit.number(value).value_or(0);
  switch (name) {
    case dw::AT_name:
      texts.name = value;
      break;
    case dw::AT_go_package_name:
      texts.go_package = value;
      break;
    case dw::AT_comp_dir:
      texts.comp_dir = value;
      break;
    case dw::AT_producer:
      texts.producer = value;
      break;
    case dw::AT_dwo_name:
    case dw::AT_GNU_dwo_name:
      texts.dwo_name = value;
      break;
    case dw::AT_language:
      unit.language = static_cast<std::uint16_t>(number);
      break;
    case dw::AT_stmt_list:
      unit.line_table = number;
      break;
    case dw::AT_low_pc:
      unit.low_pc = value;
      break;
    case dw::AT_high_pc:
      unit.high_pc = value;
      break;
    case dw::AT_ranges:
      unit.ranges = value;
      break;
    case dw::AT_str_offsets_base:
      unit.str_offsets_base = number;
      break;
    case dw::AT_addr_base:
    case dw::AT_GNU_addr_base:
      unit.addr_base = number;
      break;
    case dw::AT_rnglists_base:
      unit.rnglists_base = number;
      break;
    case dw::AT_loclists_base:
      unit.loclists_base = number;
      break;
    case dw::AT_GNU_ranges_base:
      unit.ranges_base = number;
      break;
    case dw::AT_GNU_dwo_id:
      unit.dwo_id = number;
      break;
    default:
      break;
  }
}

/// A .dwo file has no base attributes: the contribution's own header is what its parts start
/// behind. Source: DWARF 5, section 7.3.2.2 and the headers of 7.26 and 7.28.
void set_split_bases(DwarfUnit& unit, const DwarfContributions& starts) {
  if (unit.header.version >= 5) {
    unit.str_offsets_base = unit.header.dwarf64 ? 16 : 8;
    unit.rnglists_base = unit.header.dwarf64 ? 20 : 12;
    unit.loclists_base = unit.rnglists_base;
  } else {
    unit.loc_start = starts.loc;
  }
  unit.str_offsets_base += starts.str_offsets;
  unit.rnglists_base += starts.rnglists;
  unit.loclists_base += starts.loclists;
}

void inherit(DwarfUnit& unit, const DwarfUnit& skeleton) {
  unit.skeleton = &skeleton;
  unit.comp_dir = skeleton.comp_dir;
  unit.line_table = skeleton.line_table;
  unit.base_address = skeleton.base_address;
  unit.ranges_base = skeleton.ranges_base;
  unit.low_pc = skeleton.low_pc;
  unit.high_pc = skeleton.high_pc;
  unit.ranges = skeleton.ranges;
}

Result<void> read_texts(DwarfUnit& unit, const Texts& texts) {
  const auto set = [&](std::string_view& out, const DwarfValue& value) -> Result<void> {
    if (!value) return {};
    auto text = unit.text(value);
    if (!text) return std::move(text).error();
    out = *text;
    return {};
  };
  for (auto [out, value] : {std::pair{&unit.name, &texts.name},
                            {&unit.comp_dir, &texts.comp_dir},
                            {&unit.producer, &texts.producer},
                            {&unit.dwo_name, &texts.dwo_name},
                            {&unit.go_package, &texts.go_package}}) {
    auto done = set(*out, *value);
    if (!done) return done;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<const DwarfUnit>> DwarfUnitReader::read(
    const DwarfUnitHeader& header, const DwarfUnit* skeleton,
    const DwarfContributions& starts) const {
  auto info = file.sections().bytes(DwarfSection::info);
  if (!info) return std::move(info).error();
  auto unit = std::make_unique<DwarfUnit>();
  unit->file = &file;
  unit->header = header;
  unit->info = info->first(header.end);
  unit->dwo_id = header.id;
  auto table = file.abbrevs(header.abbrev_offset + starts.abbrev);
  if (!table) return std::move(table).error();
  unit->abbrevs = *std::move(table);

  auto die = read_die({unit.get(), header.first_die});
  if (!die) return std::move(die).error();
  unit->tag = die->tag();
  Texts texts;
  const auto end = die->attributes(
      [&](std::uint16_t name, const DwarfValue& value) { take(*unit, texts, name, value); });
  if (!end) return dwarf_error(die->place(), "the unit's attributes do not fit into it");
  if (file.sections().split()) set_split_bases(*unit, starts);
  if (skeleton) inherit(*unit, *skeleton);
  auto read = read_texts(*unit, texts);
  if (!read) return std::move(read).error();
  if (!skeleton && unit->low_pc) {
    auto base = unit->address(unit->low_pc);
    if (!base) return std::move(base).error();
    unit->base_address = *base;
  }
  return std::unique_ptr<const DwarfUnit>(std::move(unit));
}

}  // namespace cgo
