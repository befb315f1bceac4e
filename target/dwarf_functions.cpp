#include "target/dwarf_functions.h"

#include <algorithm>

#include "target/dwarf_constants.h"
#include "target/dwarf_ranges.h"
#include "target/dwarf_scan.h"

namespace cgo {
namespace {

/// "outer::inner::name" for a name in the scope with this number.
Result<std::string> scoped_name(const DwarfUnit& unit, std::span<const DwarfScope> scopes,
                                std::uint32_t scope, std::string_view name) {
  constexpr std::size_t kLongestName = 1 << 16, kMostParts = 512;
  std::vector<std::string_view> parts{name};
  std::size_t bytes = name.size();
  for (; scope != 0; scope = scopes[scope].parent) {  // A parent has a lower number.
    const DwarfScope& entry = scopes[scope];
    if (entry.tag == dw::TAG_subprogram) continue;
    auto die = read_die({&unit, entry.offset});
    if (!die) return std::move(die).error();
    DwarfValue value;
    die->attributes([&](std::uint16_t attribute, const DwarfValue& found) {
      if (attribute == dw::AT_name) value = found;
    });
    std::string_view part =
        entry.tag == dw::TAG_namespace ? "(anonymous namespace)" : "(anonymous)";
    if (value) {
      auto text = unit.text(value);
      if (!text) return std::move(text).error();
      part = *text;
    }
    bytes += part.size() + 2;
    if (bytes > kLongestName || parts.size() > kMostParts)
      return dwarf_error({&unit, entry.offset}, "a qualified name is too long");
    parts.push_back(part);
  }
  std::string out;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    out.append(out.empty() ? "" : "::").append(*part);
  return out;
}

/// Builds the contents of one unit, entry by entry.
class ContentsReader {
 public:
  ContentsReader(const DwarfUnit& unit, bool with_types)
      : unit_(unit), with_types_(with_types), scoped_(language_of(unit) != Language::go) {}

  Result<DwarfUnitContents> read() {
    out_.scopes.push_back({unit_.header.first_die, unit_.tag, 0});
    DwarfScan scan({&unit_, unit_.header.first_die});
    while (const DwarfDie* die = scan.next()) {
      auto done = visit(scan, *die);
      if (!done) return std::move(done).error();
    }
    if (scan.error()) return *scan.error();
    out_.by_pc = IntervalMap<std::uint32_t>(std::move(ranges_));
    return std::move(out_);
  }

 private:
  Result<void> visit(DwarfScan& scan, const DwarfDie& die) {
    if (scan.depth() == 0) return {};
    while (!open_.empty() && open_.back().depth >= scan.depth()) open_.pop_back();
    switch (die.tag()) {
      case dw::TAG_subprogram: {
        auto done = function(scan, die);
        if (!done) return done;
        break;
      }
      case dw::TAG_structure_type:
      case dw::TAG_class_type:
      case dw::TAG_union_type:
        if (scoped_ || with_types_) return type(scan, die);
        return {};
      case dw::TAG_typedef:
        if (with_types_) return alias(scan, die);
        return {};
      case dw::TAG_namespace:
      case dw::TAG_interface_type:
        break;
      case dw::TAG_enumeration_type:
      case dw::TAG_array_type:
      case dw::TAG_subroutine_type:
        scan.skip_children();
        return {};
      default:
        return {};
    }
    return add_scope(die, scan.depth(), scope());
  }

  /// Makes `die` a scope in the one with number `parent`. Those without children count too: they
  /// are what a specification refers to.
  Result<void> add_scope(const DwarfDie& die, std::uint32_t depth, std::uint32_t parent) {
    constexpr std::size_t kDeepest = 256;
    if (!scoped_) return {};  // Go names are whole by themselves.
    if (open_.size() >= kDeepest) return dwarf_error(die.place(), "scopes are nested too deeply");
    if (die.abbrev->has_children)
      open_.push_back({depth, static_cast<std::uint32_t>(out_.scopes.size())});
    out_.scopes.push_back({die.offset, die.tag(), parent});
    return {};
  }
  std::uint32_t scope() const { return open_.empty() ? 0 : open_.back().scope; }

  Result<void> function(DwarfScan& scan, const DwarfDie& die) {
    DwarfPcAttributes pc;
    scan.attributes([&](std::uint16_t name, const DwarfValue& value) { pc.take(name, value); });
    if (!pc) return {};
    std::vector<AddressRange> ranges;
    auto done = append_ranges(unit_, pc, budget_, ranges);
    if (!done) return done;
    if (ranges.empty()) return {};
    DwarfFunction found{.offset = die.offset, .entry = ranges.front().begin};
    if (pc.entry && !unit_.number(pc.entry)) {
      auto entry = unit_.address(pc.entry);
      if (!entry) return std::move(entry).error();
      found.entry = {*entry};
    }
    for (const AddressRange& range : ranges)
      ranges_.push_back({range, static_cast<std::uint32_t>(out_.functions.size())});
    out_.functions.push_back(found);
    return {};
  }

  Result<void> type(DwarfScan& scan, const DwarfDie& die) {
    DwarfValue name, specification;
    bool declaration = false;
    scan.attributes([&](std::uint16_t attribute, const DwarfValue& value) {
      if (attribute == dw::AT_name) name = value;
      if (attribute == dw::AT_specification) specification = value;
      if (attribute == dw::AT_declaration) declaration = value.number != 0;
    });
    // A type may be declared in a namespace and defined outside of it.
    const DwarfScope* declared =
        specification ? out_.scope_at(unit_.header.offset + specification.number) : nullptr;
    const std::uint32_t parent = declared ? declared->parent : scope();
    if (with_types_ && !declaration) {
      auto done = add_type(die, name, parent);
      if (!done) return done;
    }
    return add_scope(die, scan.depth(), parent);
  }

  /// A typedef counts when it is all that names a structure: "typedef struct { ... } T".
  Result<void> alias(DwarfScan& scan, const DwarfDie& die) {
    DwarfValue name, type;
    scan.attributes([&](std::uint16_t attribute, const DwarfValue& value) {
      if (attribute == dw::AT_name) name = value;
      if (attribute == dw::AT_type) type = value;
    });
    const bool local = type.form == dw::FORM_ref4 || type.form == dw::FORM_ref_udata ||
                       type.form == dw::FORM_ref2 || type.form == dw::FORM_ref1;
    if (!local) return {};
    auto place = unit_.reference(type);
    if (!place) return std::move(place).error();
    auto target = read_die(*place);
    if (!target) return std::move(target).error();
    if (target->tag() != dw::TAG_structure_type && target->tag() != dw::TAG_union_type) return {};
    bool named = false;
    target->attributes(
        [&](std::uint16_t attribute, const DwarfValue&) { named |= attribute == dw::AT_name; });
    return named ? Result<void>{} : add_type(die, name, scope());
  }

  Result<void> add_type(const DwarfDie& die, const DwarfValue& name, std::uint32_t parent) {
    if (!name) return {};
    auto text = unit_.text(name);
    if (!text) return std::move(text).error();
    auto full = scoped_name(unit_, out_.scopes, parent, *text);
    if (!full) return std::move(full).error();
    out_.types.push_back({die.offset, *std::move(full)});
    return {};
  }

  struct Open {
    std::uint32_t depth;
    std::uint32_t scope;
  };

  const DwarfUnit& unit_;
  bool with_types_, scoped_;
  DwarfUnitContents out_;
  std::vector<Open> open_;
  std::vector<IntervalMap<std::uint32_t>::Entry> ranges_;
  std::uint64_t budget_ = 1 << 24;
};

}  // namespace

Result<DwarfUnitContents> DwarfUnitContents::read(const DwarfUnit& unit, bool with_types) {
  return ContentsReader(unit, with_types).read();
}

const DwarfScope* DwarfUnitContents::scope_at(std::uint64_t offset) const {
  const auto found = std::lower_bound(
      scopes.begin(), scopes.end(), offset,
      [](const DwarfScope& scope, std::uint64_t wanted) { return scope.offset < wanted; });
  return found != scopes.end() && found->offset == offset ? &*found : nullptr;
}

Result<std::string> DwarfUnitContents::qualified(const DwarfUnit& unit, std::uint64_t offset,
                                                 std::string_view name) const {
  const DwarfScope* scope = scope_at(offset);
  return scoped_name(unit, scopes, scope ? scope->parent : 0, name);
}

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
