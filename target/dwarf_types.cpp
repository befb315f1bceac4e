#include "target/dwarf_types.h"

#include "target/dwarf_constants.h"
#include "target/dwarf_scan.h"

namespace cgo {
namespace {

constexpr int kDeepestNesting = 8;  // Anonymous structures in structures.
constexpr int kLongestChain = 64;   // Typedefs and arrays of one type.
constexpr int kMostDimensions = 64;
constexpr std::size_t kMostMembers = 1 << 16;

bool is_struct(std::uint32_t tag) {
  return tag == dw::TAG_structure_type || tag == dw::TAG_class_type || tag == dw::TAG_union_type;
}

bool only_renames(std::uint32_t tag) {
  switch (tag) {
    case dw::TAG_typedef:
    case dw::TAG_const_type:
    case dw::TAG_volatile_type:
    case dw::TAG_restrict_type:
    case dw::TAG_atomic_type:
      return true;
    default:
      return false;
  }
}

bool is_pointer(std::uint32_t tag) {
  switch (tag) {
    case dw::TAG_pointer_type:
    case dw::TAG_reference_type:
    case dw::TAG_rvalue_reference_type:
    case dw::TAG_ptr_to_member_type:
      return true;
    default:
      return false;
  }
}

/// The attributes of types and members, as they are needed here.
struct TypeAttributes {
  DwarfValue name, bytes, type, location, bit_offset, signature;

  static Result<TypeAttributes> of(const DwarfDie& die) {
    TypeAttributes out;
    const auto end =
        die.attributes([&](std::uint16_t name, const DwarfValue& value) { out.take(name, value); });
    if (!end) return dwarf_error(die.place(), "the attributes do not fit into the unit");
    return out;
  }
  void take(std::uint16_t attribute, const DwarfValue& value) {
    switch (attribute) {
      case dw::AT_name:
        name = value;
        break;
      case dw::AT_byte_size:
        bytes = value;
        break;
      case dw::AT_type:
        type = value;
        break;
      case dw::AT_data_member_location:
        location = value;
        break;
      case dw::AT_data_bit_offset:
        bit_offset = value;
        break;
      case dw::AT_signature:
        signature = value;
        break;
      default:
        break;
    }
  }
};

/// The type that `die` is made from, or that it declares (its definition is in a unit of its own).
/// Nothing when there is none: it is void.
Result<std::optional<DwarfPlace>> place_of_type(const DwarfDie& die,
                                                const TypeAttributes& attributes) {
  const DwarfValue& link = attributes.signature ? attributes.signature : attributes.type;
  if (!link) return std::optional<DwarfPlace>{};
  auto place = die.unit->reference(link);
  if (!place) return std::move(place).error();
  return std::optional{*place};
}

/// The number of elements of the array at `place`; nothing when it is open.
Result<std::optional<std::uint64_t>> element_count(DwarfPlace place) {
  std::uint64_t count = 1;
  bool open = false;
  int dimensions = 0;
  DwarfScan scan(place);
  while (const DwarfDie* die = scan.next()) {
    if (scan.depth() != 1 || die->tag() != dw::TAG_subrange_type) continue;
    if (++dimensions > kMostDimensions) return dwarf_error(place, "too many array dimensions");
    std::optional<std::uint64_t> here;
    scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
      const auto number = place.unit->number(value);
      if (name == dw::AT_count && number) here = *number;
      if (name == dw::AT_upper_bound && number && *number != ~std::uint64_t{0}) here = *number + 1;
    });
    if (!here || __builtin_mul_overflow(count, *here, &count)) open = true;
  }
  if (scan.error()) return *scan.error();
  if (dimensions == 0 || open) return std::optional<std::uint64_t>{};
  return std::optional{count};
}

/// The structure that `place` is, or is another name of; nothing when it is something else.
Result<std::optional<DwarfDie>> underlying_struct(DwarfPlace place) {
  for (int step = 0; step < kLongestChain; ++step) {
    auto die = read_die(place);
    if (!die) return std::move(die).error();
    auto attributes = TypeAttributes::of(*die);
    if (!attributes) return std::move(attributes).error();
    if (is_struct(die->tag()) && !attributes->signature) return std::optional{*die};
    if (!only_renames(die->tag()) && !attributes->signature) return std::optional<DwarfDie>{};
    auto next = place_of_type(*die, *attributes);
    if (!next) return std::move(next).error();
    if (!*next) return std::optional<DwarfDie>{};
    place = **next;
  }
  return dwarf_error(place, "a chain of types does not end");
}

/// Byte offset of a member. Source: DWARF 5, section 5.7.6; the expression form is DWARF 2's.
Result<std::uint64_t> member_offset(const DwarfDie& die, const TypeAttributes& member) {
  if (member.location) {
    if (const auto offset = die.unit->number(member.location)) return *offset;
    DwarfCursor expression(member.location.block);
    const bool plain = expression.u8() == dw::OP_plus_uconst;
    const std::uint64_t offset = expression.uleb();
    if (plain && expression.ok() && expression.at_end()) return offset;
    return dwarf_error(die.place(), "where this member lies is computed at run time");
  }
  if (const auto bits = die.unit->number(member.bit_offset)) return *bits / 8;
  return std::uint64_t{0};  // Members of unions.
}

/// Collects the members of a structure and of the anonymous ones in it.
class MemberReader {
 public:
  explicit MemberReader(DwarfStruct& out) : out_(out) {}

  Result<void> read(const DwarfDie& type, std::uint64_t base, int nesting) {
    DwarfScan scan(type.place());
    while (const DwarfDie* die = scan.next()) {
      if (scan.depth() == 0) continue;
      if (die->tag() != dw::TAG_member) {
        scan.skip_children();
        continue;
      }
      // Also bounds anonymous structures that contain themselves.
      if (++seen_ > kMostMembers)
        return dwarf_error(type.place(), "the structure has too many members");
      auto done = read_member(*die, base, nesting);
      if (!done) return done;
    }
    if (scan.error()) return *scan.error();
    return {};
  }

 private:
  Result<void> read_member(const DwarfDie& die, std::uint64_t base, int nesting) {
    auto member = TypeAttributes::of(die);
    if (!member) return std::move(member).error();
    auto offset = member_offset(die, *member);
    if (!offset) return std::move(offset).error();
    auto type = place_of_type(die, *member);
    if (!type) return std::move(type).error();
    if (!member->name)
      return *type ? read_anonymous(**type, base + *offset, nesting) : Result<void>{};
    auto name = die.unit->text(member->name);
    if (!name) return std::move(name).error();
    auto bytes = *type ? type_bytes(**type) : Result<std::uint64_t>(0);
    if (!bytes) return std::move(bytes).error().in(*name);
    out_.members.push_back({std::string(*name), base + *offset, *bytes});
    return {};
  }

  /// Members of an anonymous structure are named as if they were the outer one's.
  Result<void> read_anonymous(DwarfPlace type, std::uint64_t base, int nesting) {
    auto inner = underlying_struct(type);
    if (!inner) return std::move(inner).error();
    if (!*inner) return {};
    if (nesting >= kDeepestNesting) return dwarf_error(type, "structures are nested too deeply");
    return read(**inner, base, nesting + 1);
  }

  DwarfStruct& out_;
  std::size_t seen_ = 0;
};

}  // namespace

Result<std::uint64_t> type_bytes(DwarfPlace place) {
  std::uint64_t factor = 1;
  for (int step = 0; step < kLongestChain; ++step) {
    auto die = read_die(place);
    if (!die) return std::move(die).error();
    auto attributes = TypeAttributes::of(*die);
    if (!attributes) return std::move(attributes).error();
    std::uint64_t total = 0;
    const auto times_factor = [&](std::uint64_t bytes) {
      return __builtin_mul_overflow(bytes, factor, &total) ? 0 : total;
    };
    if (const auto bytes = place.unit->number(attributes->bytes)) return times_factor(*bytes);
    if (is_pointer(die->tag())) return times_factor(place.unit->header.address_bytes);
    if (die->tag() == dw::TAG_array_type) {
      auto count = element_count(place);
      if (!count) return std::move(count).error();
      if (!*count || __builtin_mul_overflow(factor, **count, &factor)) return std::uint64_t{0};
    } else if (!only_renames(die->tag()) && !attributes->signature) {
      return std::uint64_t{0};
    }
    auto next = place_of_type(*die, *attributes);
    if (!next) return std::move(next).error();
    if (!*next) return std::uint64_t{0};
    place = **next;
  }
  return dwarf_error(place, "a chain of types does not end");
}

Result<DwarfStruct> read_struct(DwarfPlace place) {
  auto die = underlying_struct(place);
  if (!die) return std::move(die).error();
  if (!*die) return dwarf_error(place, "this is not a structure");
  auto attributes = TypeAttributes::of(**die);
  if (!attributes) return std::move(attributes).error();
  DwarfStruct out;
  out.bytes = (*die)->unit->number(attributes->bytes).value_or(0);
  auto done = MemberReader(out).read(**die, 0, 0);
  if (!done) return std::move(done).error();
  return out;
}

const DwarfMember* DwarfStruct::member(std::string_view wanted) const {
  for (const DwarfMember& found : members)
    if (found.name == wanted) return &found;
  return nullptr;
}

}  // namespace cgo
