#include <algorithm>

#include "target/dwarf_constants.h"
#include "target/dwarf_scan.h"
#include "target/dwarf_type.h"

namespace cgo {
namespace {

// Source: DWARF 5, sections 7.5.3 and 7.5.4.
constexpr std::uint32_t kUnspecifiedParameters = 0x18;
constexpr std::uint16_t kContainingType = 0x1d;

constexpr std::size_t kMostMembers = 1 << 16;
constexpr std::size_t kMostEnumerators = 1 << 20;
constexpr std::size_t kMostDimensions = 64;

/// The attributes of a member, base class or static member.
struct MemberEntry {
  DwarfValue name, type, location, data_bit_offset, bit_offset, bit_size, byte_size, alignment;
  bool external = false, declaration = false, embedded = false, artificial = false;

  void take(std::uint16_t attribute, const DwarfValue& value) {
    switch (attribute) {
      case dw::AT_name:
        name = value;
        break;
      case dw::AT_type:
        type = value;
        break;
      case dw::AT_data_member_location:
        location = value;
        break;
      case dw::AT_data_bit_offset:
        data_bit_offset = value;
        break;
      case dw::AT_bit_offset:
        bit_offset = value;
        break;
      case dw::AT_bit_size:
        bit_size = value;
        break;
      case dw::AT_byte_size:
        byte_size = value;
        break;
      case dw::AT_alignment:
        alignment = value;
        break;
      case dw::AT_external:
        external = value.number != 0;
        break;
      case dw::AT_declaration:
        declaration = value.number != 0;
        break;
      case dw::AT_artificial:
        artificial = value.number != 0;
        break;
      case dw::AT_go_embedded_field:
        embedded = value.number != 0;
        break;
      default:
        break;
    }
  }
};

/// Sets offset and bits. Source: DWARF 5, section 5.7.6; DW_AT_bit_offset counts from the high end
/// of the storage unit (DWARF 4, section 5.5.6). The expression form is DWARF 2's.
/// `storage_bytes` is called for the size of the member's type where DWARF 4 leaves it out.
template <class StorageBytes>
bool place_member(const DwarfUnit& unit, const MemberEntry& entry, TypeMember& member,
                  StorageBytes&& storage_bytes) {
  constexpr std::uint64_t kMostBits = 1 << 16;
  const std::uint64_t bits = unit.number(entry.bit_size).value_or(0);
  if (bits > kMostBits) return false;
  member.bit_size = static_cast<std::uint32_t>(bits);
  member.alignment = unit.number(entry.alignment).value_or(0);
  if (const auto from = unit.number(entry.data_bit_offset)) {
    member.offset = *from / 8;
    member.bit_offset = static_cast<std::uint32_t>(*from % 8);
    return true;
  }
  if (entry.location) {
    if (const auto offset = unit.number(entry.location)) {
      member.offset = *offset;
    } else {
      DwarfCursor expression(entry.location.block);
      const bool plain = expression.u8() == dw::OP_plus_uconst;
      member.offset = expression.uleb();
      if (!plain || !expression.ok() || !expression.at_end()) {
        member.computed = true;
        member.offset = 0;
      }
    }
  }
  if (!entry.bit_offset || bits == 0) return true;
  const auto high = static_cast<std::int64_t>(entry.bit_offset.number);
  const std::uint64_t storage = unit.number(entry.byte_size).value_or(storage_bytes());
  if (storage == 0 || storage > 64 || high > 512 || high < -512) return false;
  const std::int64_t low = static_cast<std::int64_t>(storage * 8 - bits) - high;
  const std::int64_t whole = low >= 0 ? low / 8 : -((7 - low) / 8);
  member.offset += static_cast<std::uint64_t>(whole);
  member.bit_offset = static_cast<std::uint32_t>(low - whole * 8);
  return true;
}

/// A bound that is no constant: an expression, a list of them, or a reference to a variable.
bool is_in_frame(const DwarfValue& bound) {
  switch (bound.form) {
    case dw::FORM_exprloc:
    case dw::FORM_block:
    case dw::FORM_block1:
    case dw::FORM_block2:
    case dw::FORM_block4:
    case dw::FORM_sec_offset:
    case dw::FORM_loclistx:
    case dw::FORM_ref1:
    case dw::FORM_ref2:
    case dw::FORM_ref4:
    case dw::FORM_ref8:
    case dw::FORM_ref_udata:
    case dw::FORM_ref_addr:
      return true;
    default:
      return false;
  }
}

}  // namespace

/// Fills DwarfType::Members. Those of a function are its parameters (the last is "..." where more
/// may follow), the one of a pointer to a member is the class that has it.
class TypeMemberReader {
 public:
  TypeMemberReader(const DwarfType& type, DwarfType::Members& out) : type_(type), out_(out) {}

  Result<void> read() {
    const DwarfPlace place = type_.entry().place;
    if (type_.kind() == TypeKind::member_pointer) return read_class(place);
    DwarfScan scan(place);
    while (const DwarfDie* die = scan.next()) {
      const std::uint32_t tag = die->tag();
      if (scan.depth() == 0 || tag == dw::TAG_GNU_template_parameter_pack) continue;
      if (tag == dw::TAG_template_type_parameter && out_.arguments.size() < kMostMembers) {
        scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
          if (name == dw::AT_type) out_.arguments.push_back(value);
        });
      }
      if (tag == kUnspecifiedParameters) add_parameter("...", {});
      if (tag != dw::TAG_member && tag != dw::TAG_inheritance && tag != dw::TAG_variable &&
          tag != dw::TAG_formal_parameter) {
        scan.skip_children();
        continue;
      }
      if (out_.all.size() >= kMostMembers)
        return dwarf_error(place, "the structure has too many members");
      MemberEntry entry;
      scan.attributes(
          [&](std::uint16_t name, const DwarfValue& value) { entry.take(name, value); });
      const bool parameter = tag == dw::TAG_formal_parameter;
      if (parameter && !entry.artificial) add_parameter({}, entry.type);
      auto done = parameter ? Result<void>() : add(tag, entry);
      if (!done) return done;
      scan.skip_children();
    }
    if (scan.error()) return *scan.error();
    return {};
  }

 private:
  void add_parameter(std::string_view name, DwarfValue type) {
    if (out_.all.size() >= kMostMembers) return;
    out_.all.push_back({.name = name});
    out_.types.push_back(type);
  }

  Result<void> read_class(DwarfPlace place) {
    auto die = read_die(place);
    if (!die) return std::move(die).error();
    die->attributes([&](std::uint16_t name, const DwarfValue& value) {
      if (name == kContainingType) add_parameter({}, value);
    });
    return {};
  }

  Result<void> add(std::uint32_t tag, const MemberEntry& entry) {
    const DwarfUnit& unit = *type_.entry().place.unit;
    TypeMember member{
        .embedded = entry.embedded,
        .base_class = tag == dw::TAG_inheritance,
        .is_static = tag == dw::TAG_variable || (entry.external && entry.declaration)};
    if (entry.name) {
      auto name = unit.text(entry.name);
      if (!name) return std::move(name).error();
      member.name = *name;
    }
    if (!member.is_static && !place_member(unit, entry, member, [&] { return bytes_of(entry); }))
      return dwarf_error(type_.entry().place, "a bit-field of it lies nowhere");
    out_.all.push_back(member);
    out_.types.push_back(entry.type);
    return {};
  }

  std::uint64_t bytes_of(const MemberEntry& entry) const {
    auto type = type_.store_.referred(*type_.entry().place.unit, entry.type);
    return type ? (*type)->bytes() : 0;
  }

  const DwarfType& type_;
  DwarfType::Members& out_;
};

const DwarfType::Members& DwarfType::read_members() const {
  std::call_once(members_once_, [this] {
    auto done = TypeMemberReader(*this, members_).read();
    if (!done) members_.error = std::move(done).error();
  });
  return members_;
}

std::span<const Enumerator> DwarfType::enumerators() const {
  const DwarfType& definition = defined();
  if (&definition != this) return definition.enumerators();
  const bool go_integer = kind_ == TypeKind::signed_integer || kind_ == TypeKind::unsigned_integer;
  if (is_go() && go_integer) return store_.constants_of(name_, entry_.place);
  if (kind_ != TypeKind::enumeration) return {};
  std::call_once(enumerators_once_, [this] {
    DwarfScan scan(entry_.place);
    while (const DwarfDie* die = scan.next()) {
      if (die->tag() != dw::TAG_enumerator || enumerators_.size() >= kMostEnumerators) continue;
      DwarfValue name, value;
      scan.attributes([&](std::uint16_t attribute, const DwarfValue& found) {
        if (attribute == dw::AT_name) name = found;
        if (attribute == dw::AT_const_value) value = found;
      });
      auto text = unit().text(name);
      if (text) enumerators_.push_back({*text, static_cast<std::int64_t>(value.number)});
    }
  });
  return enumerators_;
}

const DwarfType::Dimensions& DwarfType::dimensions() const {
  std::call_once(dimensions_once_, [this] {
    DwarfScan scan(entry_.place);
    while (const DwarfDie* die = scan.next()) {
      if (scan.depth() != 1 || die->tag() != dw::TAG_subrange_type) continue;
      if (dimensions_.lengths.size() >= kMostDimensions) break;
      std::optional<std::uint64_t> length;
      std::uint64_t lowest = 0;
      std::optional<std::uint64_t> highest;
      std::optional<LengthInFrame> in_frame;
      bool begins_anywhere = false;
      scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
        const auto number = unit().number(value);
        const bool is_count = name == dw::AT_count;
        if (is_in_frame(value) && (is_count || name == dw::AT_upper_bound))
          in_frame = LengthInFrame{.bound = value, .is_count = is_count};
        begins_anywhere |= is_in_frame(value) && name == dw::AT_lower_bound;
        if (!number || is_in_frame(value)) return;
        if (name == dw::AT_count) length = *number;
        if (name == dw::AT_lower_bound) lowest = *number;
        // All ones, in any width, is how compilers write -1: no element, or none known.
        if (name == dw::AT_upper_bound) highest = *number;
      });
      if (!length && highest && *highest != ~std::uint64_t{0} && *highest >= lowest)
        length = *highest - lowest + 1;
      if (begins_anywhere) in_frame.reset();
      if (in_frame) in_frame->lowest = static_cast<std::int64_t>(lowest);
      dimensions_.lengths.push_back(length);
      dimensions_.in_frame.push_back(length ? std::nullopt : in_frame);
    }
  });
  return dimensions_;
}

std::optional<std::uint64_t> DwarfType::length() const {
  if (kind_ != TypeKind::array) return std::nullopt;
  const auto& lengths = dimensions().lengths;
  if (dimension_ >= lengths.size()) return std::nullopt;
  return lengths[dimension_];
}

const DwarfType::LengthInFrame* DwarfType::length_in_frame() const {
  if (kind_ != TypeKind::array) return nullptr;
  const auto& found = dimensions().in_frame;
  return dimension_ < found.size() && found[dimension_] ? &*found[dimension_] : nullptr;
}

}  // namespace cgo
