#include "target/dwarf_variable_entry.h"

#include <cstring>

#include "target/dwarf_constants.h"
#include "target/dwarf_locations.h"
#include "target/dwarf_variables.h"

namespace cgo {
namespace {

/// The bytes of DW_AT_const_value: an integer in eight, with its sign, or what a block holds.
std::vector<std::byte> constant_bytes(const DwarfValue& value) {
  if (!value.block.empty()) return {value.block.begin(), value.block.end()};
  std::vector<std::byte> out(sizeof value.number);
  std::memcpy(out.data(), &value.number, sizeof value.number);
  return out;
}

void take(DwarfVariableEntry& out, const DwarfUnit& unit, std::uint16_t name,
          const DwarfValue& value, DwarfValue& origin) {
  const auto keep = [&](DwarfUnitValue& field) {
    if (!field) field = {&unit, value};
  };
  switch (name) {
    case dw::AT_name:
      return keep(out.name);
    case dw::AT_type:
      return keep(out.type);
    case dw::AT_location:
      return keep(out.location);
    case dw::AT_const_value:
      return keep(out.constant);
    case dw::AT_start_scope:
      return keep(out.start_scope);
    case dw::AT_go_closure_offset:
      return keep(out.closure_offset);
    case dw::AT_decl_line:
      if (out.declared_line == 0)
        out.declared_line = static_cast<std::uint32_t>(unit.number(value).value_or(0));
      return;
    case dw::AT_artificial:
      out.artificial |= value.number != 0;
      return;
    case dw::AT_variable_parameter:
      out.result |= value.number != 0;
      return;
    case dw::AT_declaration:
      out.declaration |= value.number != 0;
      return;
    case dw::AT_abstract_origin:
    case dw::AT_specification:
      origin = value;
      return;
    default:
      return;
  }
}

}  // namespace

Result<DwarfVariableEntry> DwarfVariableEntry::read(DwarfPlace place) {
  constexpr int kLongestChain = 8;
  DwarfVariableEntry out;
  for (int step = 0; step < kLongestChain; ++step) {
    auto die = read_die(place);
    if (!die) return std::move(die).error();
    DwarfValue origin;
    // What an origin declares, the entry that refers to it defines.
    if (step > 0) out.declaration = false;
    const bool declaration = out.declaration;
    const auto end = die->attributes([&](std::uint16_t name, const DwarfValue& value) {
      take(out, *place.unit, name, value, origin);
    });
    if (step > 0) out.declaration = declaration;
    if (!end) return dwarf_error(place, "the attributes do not fit into the unit");
    out.root = place;
    if (!origin) return out;
    auto next = place.unit->reference(origin);
    if (!next) return std::move(next).error();
    place = *next;
  }
  return dwarf_error(place, "a chain of origins does not end");
}

Variable DwarfVariableEntry::variable(const DwarfTypes& types, Address pc,
                                      std::uint64_t& budget) const {
  Variable out{.result = result, .declared_line = declared_line};
  const auto failed = [&out](Error error) {
    if (!out.error) out.error = std::move(error);
  };
  if (name) {
    auto text = name.unit->text(name.value);
    if (text)
      out.name = *text;
    else
      failed(std::move(text).error());
  }
  if (type) {
    auto found = types.referred(*type.unit, type.value);
    if (found)
      out.type = *found;
    else
      failed(std::move(found).error().in("type"));
  }
  if (closure_offset) out.closure_offset = closure_offset.unit->number(closure_offset.value);
  if (location) {
    auto found = location_at(*location.unit, location.value, pc, budget);
    if (found)
      out.location = *found;
    else
      failed(std::move(found).error().in("location"));
  } else if (constant) {
    out.constant = true;
    out.value = constant_bytes(constant.value);
    if (constant.value.form == dw::FORM_strp || constant.value.form == dw::FORM_line_strp)
      failed({ErrorCode::unsupported, "a constant is a text"});
  }
  return out;
}

Variable read_variable(const DwarfTypes& types, DwarfPlace place, Address pc) {
  auto entry = DwarfVariableEntry::read(place);
  if (!entry) return {.error = std::move(entry).error()};
  std::uint64_t budget = 1 << 20;
  return entry->variable(types, pc, budget);
}

}  // namespace cgo
