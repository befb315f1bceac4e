#include <algorithm>
#include <utility>

#include "target/dwarf_constants.h"
#include "target/dwarf_functions.h"
#include "target/dwarf_ranges.h"
#include "target/dwarf_scan.h"

namespace cgo {
namespace {

/// What an entry says of its own name.
struct OwnName {
  std::string_view text;    ///< Empty for none.
  bool artificial = false;  ///< The compiler made it.
};

Result<OwnName> own_name(DwarfPlace place) {
  auto die = read_die(place);
  if (!die) return std::move(die).error();
  DwarfValue value;
  OwnName name;
  die->attributes([&](std::uint16_t attribute, const DwarfValue& found) {
    if (attribute == dw::AT_name) value = found;
    if (attribute == dw::AT_artificial) name.artificial = found.number != 0;
  });
  if (!value) return name;
  auto text = place.unit->text(value);
  if (!text) return std::move(text).error();
  name.text = *text;
  return name;
}

/// "outer::inner::name" for the name of the entry at `offset` in the scope with this number.
Result<std::string> scoped_name(const DwarfUnit& unit, std::span<const DwarfScope> scopes,
                                std::uint32_t scope, std::uint64_t offset, std::string_view name) {
  constexpr std::size_t kLongestName = 1 << 16, kMostParts = 512;
  constexpr std::string_view kLambda = "{lambda}";
  std::vector<std::string_view> parts{name};
  std::size_t bytes = name.size();
  std::uint64_t inner = offset;
  for (; scope != 0; scope = scopes[scope].parent) {  // A parent has a lower number.
    const DwarfScope& entry = scopes[scope];
    const std::uint64_t member = std::exchange(inner, entry.offset);
    const bool function = entry.tag == dw::TAG_subprogram;
    // Of functions around a name, those that hold a lambda are all that tells it from others.
    if (function && parts.back() != kLambda) continue;
    auto own = own_name({&unit, entry.offset});
    if (!own) return std::move(own).error();
    std::string_view part = own->text;
    if (part.empty() && function) continue;
    if (part.empty() && entry.tag == dw::TAG_namespace) part = "(anonymous namespace)";
    if (part.empty()) {
      // gcc: the body of a lambda is a function of a class without a name that nobody wrote.
      auto body = own_name({&unit, member});
      part =
          body && body->artificial && body->text.starts_with("operator") ? kLambda : "(anonymous)";
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
  ContentsReader(const DwarfUnit& unit, bool with_names)
      : unit_(unit), with_names_(with_names), scoped_(language_of(unit) != Language::go) {}

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
        if (scoped_ || with_names_) return type(scan, die);
        return {};
      case dw::TAG_typedef:
        return alias(scan, die);
      case dw::TAG_namespace:
      case dw::TAG_interface_type:
        break;
      case dw::TAG_enumeration_type:
        return enumeration(scan, die);
      case dw::TAG_array_type:
      case dw::TAG_subroutine_type: {
        auto done = other_type(scan, die);
        scan.skip_children();
        return done;
      }
      case dw::TAG_base_type:
      case dw::TAG_pointer_type:
      case dw::TAG_unspecified_type:
        return other_type(scan, die);
      case dw::TAG_variable:
      case dw::TAG_constant:
      case dw::TAG_member:
        return variable(scan, die);
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

  /// What the entry of a type or variable says of its name.
  struct Named {
    DwarfValue name, type, specification, descriptor, location;
    bool declaration = false, external = false, constant = false;

    void take(std::uint16_t attribute, const DwarfValue& value) {
      switch (attribute) {
        case dw::AT_name:
          name = value;
          break;
        case dw::AT_type:
          type = value;
          break;
        case dw::AT_specification:
        case dw::AT_abstract_origin:
          specification = value;
          break;
        case dw::AT_go_runtime_type:
          descriptor = value;
          break;
        case dw::AT_location:
          location = value;
          break;
        case dw::AT_declaration:
          declaration = value.number != 0;
          break;
        case dw::AT_external:
          external = value.number != 0;
          break;
        case dw::AT_const_value:
          constant = true;
          break;
        default:
          break;
      }
    }
  };
  static Named named(DwarfScan& scan) {
    Named out;
    scan.attributes(
        [&](std::uint16_t attribute, const DwarfValue& value) { out.take(attribute, value); });
    return out;
  }
  bool has(const DwarfDie& die, std::uint16_t attribute) const {
    const auto specs = unit_.abbrevs->specs(*die.abbrev);
    return std::any_of(specs.begin(), specs.end(), [attribute](const DwarfAttributeSpec& spec) {
      return spec.name == attribute;
    });
  }
  std::uint32_t scope_of(const Named& entry) const {
    const DwarfScope* declared =
        entry.specification ? out_.scope_at(unit_.header.offset + entry.specification.number)
                            : nullptr;
    return declared ? declared->parent : scope();
  }
  std::optional<std::uint64_t> descriptor(const Named& entry) const {
    if (!entry.descriptor) return std::nullopt;
    auto offset = unit_.address(entry.descriptor);
    if (!offset || *offset == 0) return std::nullopt;
    return *offset;
  }

  Result<void> type(DwarfScan& scan, const DwarfDie& die) {
    const Named entry = named(scan);
    // A type may be declared in a namespace and defined outside of it.
    const std::uint32_t parent = scope_of(entry);
    if (with_names_ && !entry.declaration) {
      auto done = add(out_.types, die, entry.name, parent, descriptor(entry));
      if (!done) return done;
    }
    return add_scope(die, scan.depth(), parent);
  }

  /// A type that is no structure and has no names in it.
  Result<void> other_type(DwarfScan& scan, const DwarfDie& die) {
    if (!with_names_ || !has(die, dw::AT_name)) return {};
    const Named entry = named(scan);
    if (entry.declaration) return {};
    return add(out_.other_types, die, entry.name, scope(), descriptor(entry));
  }

  Result<void> enumeration(DwarfScan& scan, const DwarfDie& die) {
    auto done = other_type(scan, die);
    if (done) done = add_scope(die, scan.depth(), scope());
    scan.skip_children();
    return done;
  }

  /// A typedef counts as a structure when it is all that names one: "typedef struct { ... } T".
  Result<void> alias(DwarfScan& scan, const DwarfDie& die) {
    if (scoped_) out_.scopes.push_back({die.offset, die.tag(), scope()});
    if (!with_names_) return {};
    const Named entry = named(scan);
    auto done = add(out_.other_types, die, entry.name, scope(), descriptor(entry));
    if (!done) return done;
    const bool local = entry.type.form == dw::FORM_ref4 || entry.type.form == dw::FORM_ref_udata ||
                       entry.type.form == dw::FORM_ref2 || entry.type.form == dw::FORM_ref1;
    if (!local) return {};
    auto place = unit_.reference(entry.type);
    if (!place) return std::move(place).error();
    auto target = read_die(*place);
    if (!target) return std::move(target).error();
    if (target->tag() != dw::TAG_structure_type && target->tag() != dw::TAG_union_type) return {};
    bool has_name = false;
    target->attributes(
        [&](std::uint16_t attribute, const DwarfValue&) { has_name |= attribute == dw::AT_name; });
    return has_name ? Result<void>{} : add(out_.types, die, entry.name, scope(), std::nullopt);
  }

  /// Variables with an address of their own, constants of Go, and static members.
  Result<void> variable(DwarfScan& scan, const DwarfDie& die) {
    if (!with_names_) return {};
    if (die.tag() == dw::TAG_member && !has(die, dw::AT_external)) return {};
    const Named entry = named(scan);
    if (entry.declaration) {
      if (scoped_) out_.scopes.push_back({die.offset, die.tag(), scope()});
      return {};
    }
    const auto address = address_in(entry.location);
    const bool in_function = scan.depth() > 1 && out_.scopes[scope()].tag != dw::TAG_namespace;
    const bool elsewhere = entry.constant || (entry.location && scan.depth() == 1);
    if (!address && (in_function || !elsewhere)) return {};
    DwarfValue name = entry.name;
    if (!name && entry.specification) {
      auto origin = unit_.reference(entry.specification);
      auto declared =
          origin && origin->unit == &unit_ ? read_die(*origin) : dwarf_error(die.place(), "");
      if (!declared) return {};  // Named in another unit: not found by name.
      declared->attributes([&](std::uint16_t attribute, const DwarfValue& value) {
        if (attribute == dw::AT_name) name = value;
      });
    }
    return add(out_.variables, die, name, scope_of(entry), address);
  }

  /// The address in a location that is nothing else.
  std::optional<std::uint64_t> address_in(const DwarfValue& location) const {
    if (location.block.empty()) return std::nullopt;
    DwarfCursor in(location.block);
    const std::uint8_t operation = in.u8();
    if (operation == dw::OP_addr) {
      const std::uint64_t address = in.sized(unit_.header.address_bytes);
      return in.ok() ? std::optional(address) : std::nullopt;
    }
    if (operation != dw::OP_addrx && operation != dw::OP_GNU_addr_index) return std::nullopt;
    auto address = unit_.indexed_address(in.uleb());
    return address ? std::optional(*address) : std::nullopt;
  }

  Result<void> add(std::vector<DwarfNamed>& to, const DwarfDie& die, const DwarfValue& name,
                   std::uint32_t parent, std::optional<std::uint64_t> number) {
    if (!name) return {};
    auto text = unit_.text(name);
    auto full =
        text ? scoped_name(unit_, out_.scopes, parent, die.offset, *text) : std::move(text).error();
    if (full)
      to.push_back({die.offset, *std::move(full), number});
    else if (!out_.nameless)
      out_.nameless = std::move(full).error();
    return {};
  }

  struct Open {
    std::uint32_t depth;
    std::uint32_t scope;
  };

  const DwarfUnit& unit_;
  bool with_names_, scoped_;
  DwarfUnitContents out_;
  std::vector<Open> open_;
  std::vector<IntervalMap<std::uint32_t>::Entry> ranges_;
  std::uint64_t budget_ = 1 << 24;
};

}  // namespace

Result<DwarfUnitContents> DwarfUnitContents::read(const DwarfUnit& unit, bool with_names) {
  return ContentsReader(unit, with_names).read();
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
  return scoped_name(unit, scopes, scope ? scope->parent : 0, offset, name);
}

}  // namespace cgo
