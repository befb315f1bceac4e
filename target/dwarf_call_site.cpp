#include "target/dwarf_call_site.h"

#include <utility>

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

constexpr std::size_t kMostParameters = 256;

CallSiteParameter read_parameter(DwarfScan& scan, const DwarfDie& die) {
  CallSiteParameter out;
  scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
    if (name == dw::AT_location) out.location = {value.block, die.unit};
    if (name == dw::AT_call_value || name == dw::AT_GNU_call_site_value)
      out.value = {value.block, die.unit};
  });
  return out;
}

Error unknown_call(Address return_pc) {
  return {ErrorCode::not_found, "nothing is known of the call that returns to " + hex(return_pc)};
}

}  // namespace

bool is_call_entry(const DwarfDie& die) {
  return die.tag() == dw::TAG_call_site || die.tag() == dw::TAG_GNU_call_site;
}

Result<CallEntry> read_call_entry(DwarfScan& scan, const DwarfDie& die) {
  DwarfValue return_pc, pc, callee;
  CallEntry site;
  const bool gnu = die.tag() == dw::TAG_GNU_call_site;
  scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
    switch (name) {
      case dw::AT_call_return_pc:
        return_pc = value;
        break;
      case dw::AT_low_pc:
        if (gnu) return_pc = value;
        break;
      case dw::AT_call_pc:
        pc = value;
        break;
      case dw::AT_call_origin:
        callee = value;
        break;
      case dw::AT_abstract_origin:
        if (gnu) callee = value;
        break;
      case dw::AT_call_target:
      case dw::AT_GNU_call_site_target:
        site.target = {value.block, die.unit};
        break;
      case dw::AT_call_tail_call:
      case dw::AT_GNU_tail_call:
        site.tail = value.number != 0;
        break;
      default:
        break;
    }
  });
  for (auto [value, into] : {std::pair{&return_pc, &site.return_pc}, {&pc, &site.pc}}) {
    if (!*value) continue;
    auto address = die.unit->address(*value);
    if (!address) return std::move(address).error();
    *into = {*address};
  }
  if (callee) {
    auto place = die.unit->reference(callee);
    if (!place) return std::move(place).error();
    site.callee = *place;
  }
  return site;
}

Result<std::vector<Address>> call_targets(const DwarfCode& code,
                                          const DwarfFunctionsNamed& functions_named,
                                          const DwarfUnit& unit, DwarfPlace callee) {
  auto names = function_names(callee);
  if (!names) return std::move(names).error();
  auto local = code.instances(unit, names->root);
  if (!local || !local->empty()) return local;
  const std::string_view name = names->linkage.empty() ? names->name : names->linkage;
  // Of a name that other units cannot refer to there may be many.
  if (!names->external || name.empty()) return std::vector<Address>{};
  return functions_named(name);
}

Result<CallSite> find_call_site(const DwarfCode& code, const DwarfFunctionsNamed& functions_named,
                                Address return_pc) {
  const auto inside = checked_sub(return_pc, 1);
  auto caller = code.function_at(inside.value_or(Address{}));
  if (!caller) return std::move(caller).error();
  if (!caller->function) return unknown_call(return_pc);
  const DwarfUnit& unit = *caller->unit;
  DwarfScan scan({&unit, caller->function->offset});
  std::optional<CallSite> site;
  std::uint32_t depth = 0;
  while (const DwarfDie* die = scan.next()) {
    if (site && scan.depth() <= depth) break;
    if (scan.depth() > 0 && die->tag() == dw::TAG_subprogram) {
      scan.skip_children();
      continue;
    }
    if (site) {
      const bool parameter = die->tag() == dw::TAG_call_site_parameter ||
                             die->tag() == dw::TAG_GNU_call_site_parameter;
      if (parameter && site->parameters.size() < kMostParameters)
        site->parameters.push_back(read_parameter(scan, *die));
      continue;
    }
    if (!is_call_entry(*die)) continue;
    auto entry = read_call_entry(scan, *die);
    if (!entry) return std::move(entry).error();
    if (entry->return_pc != return_pc) continue;
    site.emplace();
    depth = scan.depth();
    site->target = entry->target;
    if (!entry->callee) continue;
    auto targets = call_targets(code, functions_named, unit, *entry->callee);
    if (!targets) return std::move(targets).error();
    site->targets = *std::move(targets);
  }
  if (scan.error()) return *scan.error();
  if (!site) return unknown_call(return_pc);
  return *std::move(site);
}

}  // namespace cgo
