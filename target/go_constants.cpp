#include "target/dwarf_functions.h"
#include "target/dwarf_scan.h"
#include "target/dwarf_type_store.h"

// Which constants of a Go package have which type: what an enumeration of C says of itself.

namespace cgo {
namespace {

constexpr std::size_t kMostConstants = 1 << 18;

/// "path/to/pkg" of "path/to/pkg.Name"; empty for other names.
std::string_view package_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::size_t slash = name.rfind('/');
  if (dot == std::string_view::npos || (slash != std::string_view::npos && slash > dot)) return {};
  return name.substr(0, dot);
}

struct Constant {
  DwarfValue name, type, value;
};

/// The constants right below the entry of `unit`, in order.
Result<std::vector<Constant>> constants_in(const DwarfUnit& unit) {
  std::vector<Constant> out;
  DwarfScan scan({&unit, unit.header.first_die});
  while (const DwarfDie* die = scan.next()) {
    if (scan.depth() == 0) continue;
    if (die->tag() == dw::TAG_constant && out.size() < kMostConstants) {
      Constant one;
      scan.attributes([&](std::uint16_t attribute, const DwarfValue& found) {
        if (attribute == dw::AT_name) one.name = found;
        if (attribute == dw::AT_type) one.type = found;
        if (attribute == dw::AT_const_value) one.value = found;
      });
      if (one.name && one.type && one.value) out.push_back(one);
    }
    scan.skip_children();
  }
  if (scan.error()) return *scan.error();
  return out;
}

}  // namespace

void DwarfTypes::read_constants(std::string_view package, PackageConstants& out) const {
  auto headers = code_.file().headers();
  for (std::size_t i = 0; headers && i < headers->size(); ++i) {
    auto unit = code_.file().unit(i);
    if (!unit || (*unit)->name != package || language_of(**unit) != Language::go) continue;
    auto full = code_.file().full_unit(**unit);
    auto constants = full ? constants_in(**full) : std::move(full).error();
    if (!constants) continue;
    for (const Constant& one : *constants) {
      auto type = (*full)->reference(one.type);
      auto name = (*full)->text(one.name);
      if (!type || !name || package_of(*name) != package) continue;
      out[type->offset].push_back(
          {name->substr(package.size() + 1), static_cast<std::int64_t>(one.value.number)});
    }
  }
}

std::span<const Enumerator> DwarfTypes::constants_of(std::string_view name, DwarfPlace type) const {
  const std::string_view package = package_of(name);
  if (package.empty()) return {};
  const std::lock_guard lock(constants_mutex_);
  const auto [known, added] = constants_.try_emplace(std::string(package));
  if (added) read_constants(package, known->second);
  const auto found = known->second.find(type.offset);
  return found == known->second.end() ? std::span<const Enumerator>() : found->second;
}

}  // namespace cgo
