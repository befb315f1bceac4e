#include "target/dwarf_functions.h"

#include "target/dwarf_constants.h"

namespace cgo {

Result<DwarfNames> function_names(DwarfPlace place) {
  constexpr int kLongestChain = 8;
  DwarfNames names;
  for (int step = 0; step < kLongestChain; ++step) {
    auto die = read_die(place);
    if (!die) return std::move(die).error();
    DwarfValue name, linkage, next;
    const auto end = die->attributes([&](std::uint16_t attribute, const DwarfValue& value) {
      switch (attribute) {
        case dw::AT_name:
          name = value;
          break;
        case dw::AT_linkage_name:
        case dw::AT_MIPS_linkage_name:
          linkage = value;
          break;
        case dw::AT_abstract_origin:
        case dw::AT_specification:
          next = value;
          break;
        case dw::AT_external:
          names.external |= value.number != 0;
          break;
        default:
          break;
      }
    });
    if (!end) return dwarf_error(place, "the attributes do not fit into the unit");
    for (auto [text, value] : {std::pair{&names.name, &name}, {&names.linkage, &linkage}}) {
      if (!*value || !text->empty()) continue;
      auto found = place.unit->text(*value);
      if (!found) return std::move(found).error();
      *text = *found;
    }
    names.root = place;
    // Shared units may not say in which language they are.
    if (const Language language = language_of(*place.unit); language != Language::unknown)
      names.language = language;
    if (!next) return names;
    auto target = place.unit->reference(next);
    if (!target) return std::move(target).error();
    place = *target;
  }
  return dwarf_error(place, "a chain of origins does not end");
}

Language language_of(const DwarfUnit& unit) {
  // Source: DWARF 5, table 7.17, and the codes given out since (dwarfstd.org/languages.html).
  switch (unit.language) {
    case 0x16:
      return Language::go;
    case 0x01:
    case 0x02:
    case 0x0c:
    case 0x1d:
    case 0x2c:
    case 0x3e:
      return Language::c;
    case 0x04:
    case 0x19:
    case 0x1a:
    case 0x21:
    case 0x2a:
    case 0x2b:
    case 0x3a:
      return Language::cxx;
    case 0x31:
    case 0x8001:
      return Language::assembly;
    default:
      return Language::unknown;
  }
}

}  // namespace cgo
