#include "target/dwarf_lookup.h"

#include <algorithm>
#include <thread>

#include "target/dwarf_scan.h"

namespace cgo {
namespace {

constexpr std::string_view kIndexKind = "index";

void append_named(const std::vector<DwarfNamed>& from, const DwarfUnit& unit, std::string_view name,
                  std::vector<DwarfPlace>& out) {
  for (const DwarfNamed& one : from)
    if (one.name == name) out.push_back({&unit, one.offset});
}

/// "path/to/pkg" of "path/to/pkg.Name"; empty for a name that is not qualified.
std::string_view package_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::size_t slash = name.rfind('/');
  if (dot == std::string_view::npos || dot == 0) return {};
  return slash != std::string_view::npos && slash > dot ? std::string_view() : name.substr(0, dot);
}

}  // namespace

const DwarfIndex* DwarfLookup::ready_index() const {
  std::call_once(loaded_once_, [this] {
    auto bytes = cache_.load(kIndexKind);
    if (!bytes) return;
    auto loaded = DwarfIndex::from_bytes(*std::move(bytes));
    if (!loaded) return;
    const std::lock_guard lock(mutex_);
    index_ = std::move(loaded);
    index_ready_ = true;
  });
  const std::lock_guard lock(mutex_);
  return index_ready_ ? &*index_ : nullptr;
}

Result<const DwarfIndex*> DwarfLookup::index() const {
  if (const DwarfIndex* ready = ready_index()) return ready;
  std::call_once(index_once_, [this] {
    constexpr unsigned kMostThreads = 16;
    auto built =
        DwarfIndex::build(code_, std::min(std::thread::hardware_concurrency(), kMostThreads));
    if (built && !built->incomplete()) cache_.store(kIndexKind, built->bytes());
    const std::lock_guard lock(mutex_);
    index_ = std::move(built);
    index_ready_ = index_.has_value();
  });
  const std::lock_guard lock(mutex_);
  if (!index_) return index_.error();
  return &*index_;
}

/// Go's linker puts the types of a whole program into the unit of package runtime, so that a Go
/// type is found without a pass over the file.
/// Source: cmd/link/internal/ld/dwarf.go, runtimeCU, Go 1.19 to 1.27.
const DwarfLookup::GoTypes& DwarfLookup::go_types() const {
  std::call_once(go_types_once_, [this] {
    const auto units = go_units("runtime");
    if (!units) return;  // The index reports what is wrong.
    for (const DwarfUnit* unit : *units) {
      auto contents = DwarfUnitContents::read(*unit, true);
      if (!contents) continue;
      for (auto* part : {&contents->types, &contents->other_types}) {
        for (DwarfNamed& type : *part) {
          const DwarfPlace place{unit, type.offset};
          if (type.number) go_types_.by_descriptor.try_emplace(*type.number, place);
          go_types_.by_name.try_emplace(std::move(type.name), place);
        }
      }
    }
  });
  return go_types_;
}

Result<DwarfLookup::Contents> DwarfLookup::named(const DwarfUnit& unit) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = named_.find(&unit); found != named_.end()) return found->second;
  }
  auto contents = DwarfUnitContents::read(unit, true);
  if (!contents) return std::move(contents).error();
  auto shared = std::make_shared<const DwarfUnitContents>(*std::move(contents));
  const std::lock_guard lock(mutex_);
  return named_.try_emplace(&unit, std::move(shared)).first->second;
}

Error DwarfLookup::not_found(std::string_view what, std::string_view name) const {
  Error error{ErrorCode::not_found, code_.file().sections().file().path() + ": no " +
                                        std::string(what) + " " + std::string(name) +
                                        " in its DWARF"};
  if (const DwarfIndex* all = ready_index(); all && all->incomplete())
    error.message += " (not all of it could be read: " + all->incomplete()->message + ")";
  return error;
}

Result<std::vector<DwarfPlace>> DwarfLookup::places(
    const std::vector<DwarfIndex::Place>& found) const {
  std::vector<DwarfPlace> out;
  for (const DwarfIndex::Place& one : found) {
    auto place = DwarfIndex::entry_of(code_.file(), one);
    if (!place) return std::move(place).error();
    out.push_back(*place);
  }
  return out;
}

Result<DwarfPlace> DwarfLookup::structure(std::string_view name) const {
  if (!package_of(name).empty()) {
    const auto& types = go_types().by_name;
    if (const auto found = types.find(std::string(name)); found != types.end())
      return found->second;
  }
  auto all = index();
  if (!all) return std::move(all).error().in(name);
  const auto found = (*all)->structures(name);
  if (found.empty()) return not_found("structure", name);
  return DwarfIndex::entry_of(code_.file(), found.front());
}

Result<std::vector<DwarfPlace>> DwarfLookup::types_near(std::string_view name, Address near) const {
  std::vector<DwarfPlace> out;
  if (!near) return out;
  auto found = code_.function_at(near);
  if (!found) return std::move(found).error();
  if (!found->unit || language_of(*found->unit) == Language::go) return out;
  auto contents = named(*found->unit);
  if (!contents) return std::move(contents).error();
  append_named((*contents)->types, *found->unit, name, out);
  append_named((*contents)->other_types, *found->unit, name, out);
  return out;
}

Result<std::vector<DwarfPlace>> DwarfLookup::types(std::string_view name, Address near) const {
  auto here = types_near(name, near);
  if (!here || !here->empty()) return here;
  if (!ready_index()) {
    const auto& types = go_types().by_name;
    if (const auto found = types.find(std::string(name)); found != types.end())
      return std::vector{found->second};
  }
  auto all = index();
  if (!all) return std::move(all).error().in(name);
  auto found = (*all)->structures(name);
  const auto others = (*all)->other_types(name);
  found.insert(found.end(), others.begin(), others.end());
  return places(found);
}

Result<DwarfPlace> DwarfLookup::type_with_descriptor(std::uint64_t descriptor) const {
  if (const DwarfIndex* all = ready_index()) {
    const auto found = all->type_with_descriptor(descriptor);
    if (found) return DwarfIndex::entry_of(code_.file(), *found);
    return not_found("Go type with descriptor", hex(descriptor));
  }
  const auto& types = go_types().by_descriptor;
  const auto found = types.find(descriptor);
  if (found == types.end()) return not_found("Go type with descriptor", hex(descriptor));
  return found->second;
}

Result<std::vector<const DwarfUnit*>> DwarfLookup::go_units(std::string_view package) const {
  std::vector<const DwarfUnit*> out;
  if (package.empty()) return out;
  auto headers = code_.file().headers();
  if (!headers) return std::move(headers).error();
  for (std::size_t i = 0; i < headers->size(); ++i) {
    auto unit = code_.file().unit(i);
    if (unit && (*unit)->name == package && language_of(**unit) == Language::go)
      out.push_back(*unit);
  }
  return out;
}

Result<std::optional<std::vector<DwarfPlace>>> DwarfLookup::go_variables(
    std::string_view name) const {
  auto units = go_units(package_of(name));
  if (!units) return std::move(units).error();
  std::optional<std::vector<DwarfPlace>> out;
  for (const DwarfUnit* unit : *units) {
    auto contents = named(*unit);
    if (!contents) return std::move(contents).error();
    if (!out) out.emplace();
    append_named((*contents)->variables, *unit, name, *out);
  }
  return out;
}

Result<std::vector<DwarfPlace>> DwarfLookup::variables(std::string_view name) const {
  if (!ready_index()) {
    auto found = go_variables(name);
    if (!found) return std::move(found).error();
    if (*found) return **std::move(found);
  }
  auto all = index();
  if (!all) return std::move(all).error().in(name);
  return places((*all)->variables(name));
}

/// Reads the package's unit alone, and of it the entries right below the unit's own.
Result<DwarfPlace> DwarfLookup::go_constant(std::string_view name) const {
  auto units = go_units(package_of(name));
  if (!units) return std::move(units).error();
  for (const DwarfUnit* unit : *units) {
    auto full = unit->file->full_unit(*unit);
    if (!full) return std::move(full).error();
    DwarfScan scan({*full, (*full)->header.first_die});
    while (const DwarfDie* die = scan.next()) {
      if (scan.depth() == 0) continue;
      if (die->tag() == dw::TAG_constant) {
        const std::uint64_t offset = die->offset;
        DwarfValue found;
        scan.attributes([&](std::uint16_t attribute, const DwarfValue& value) {
          if (attribute == dw::AT_name) found = value;
        });
        auto text = (*full)->text(found);
        if (text && *text == name) return DwarfPlace{*full, offset};
      }
      scan.skip_children();
    }
    if (scan.error()) return *scan.error();
  }
  return not_found("constant", name);
}

Result<std::vector<std::string>> DwarfLookup::go_packages(std::string_view name) const {
  std::vector<std::string> out;
  auto headers = code_.file().headers();
  if (!headers) return std::move(headers).error();
  for (std::size_t i = 0; i < headers->size(); ++i) {
    auto unit = code_.file().unit(i);
    if (!unit || language_of(**unit) != Language::go) continue;
    const std::string_view path = (*unit)->name;
    if ((*unit)->go_package == name || path.substr(path.rfind('/') + 1) == name)
      out.emplace_back(path);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<DwarfPlace> DwarfLookup::variable_at_or_below(Address address) const {
  auto all = index();
  if (!all) return std::move(all).error();
  const auto found = (*all)->variable_at_or_below(address.value);
  if (!found) return not_found("variable at", hex(address));
  return DwarfIndex::entry_of(code_.file(), *found);
}

Result<std::string> DwarfLookup::variable_name(DwarfPlace place) const {
  auto contents = named(*place.unit);
  if (!contents) return std::move(contents).error();
  for (const DwarfNamed& one : (*contents)->variables)
    if (one.offset == place.offset) return one.name;
  return dwarf_error(place, "this variable has no name");
}

}  // namespace cgo
