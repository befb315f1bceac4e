#include "target/dwarf_constants.h"
#include "target/dwarf_scan.h"
#include "target/dwarf_variables.h"

namespace cgo {
namespace {

constexpr std::size_t kMostParameters = 256;

struct SiteEntry {
  DwarfValue return_pc, callee, target;

  void take(std::uint16_t name, const DwarfValue& value, bool gnu) {
    switch (name) {
      case dw::AT_call_return_pc:
        return_pc = value;
        break;
      case dw::AT_low_pc:
        if (gnu) return_pc = value;
        break;
      case dw::AT_call_origin:
        callee = value;
        break;
      case dw::AT_abstract_origin:
        if (gnu) callee = value;
        break;
      case dw::AT_call_target:
      case dw::AT_GNU_call_site_target:
        target = value;
        break;
      default:
        break;
    }
  }
};

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
    const bool gnu = die->tag() == dw::TAG_GNU_call_site;
    if (!gnu && die->tag() != dw::TAG_call_site) continue;
    SiteEntry entry;
    scan.attributes(
        [&](std::uint16_t name, const DwarfValue& value) { entry.take(name, value, gnu); });
    if (!entry.return_pc) continue;
    auto address = unit.address(entry.return_pc);
    if (!address) return std::move(address).error();
    if (Address{*address} != return_pc) continue;
    site.emplace();
    depth = scan.depth();
    site->target = {entry.target.block, &unit};
    if (!entry.callee) continue;
    auto place = unit.reference(entry.callee);
    auto targets =
        place ? call_targets(code, functions_named, unit, *place) : std::move(place).error();
    if (!targets) return std::move(targets).error();
    site->targets = *std::move(targets);
  }
  if (scan.error()) return *scan.error();
  if (!site) return unknown_call(return_pc);
  return *std::move(site);
}

}  // namespace cgo
