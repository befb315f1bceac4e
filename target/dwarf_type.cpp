#include "target/dwarf_type.h"

#include "target/dwarf_constants.h"
#include "target/dwarf_scan.h"
#include "target/dwarf_types.h"

namespace cgo {
namespace {

// reflect.Kind. Source: src/internal/abi/type.go (1.19: src/reflect/type.go), Go 1.19 to 1.27.
constexpr std::uint8_t kGoKindMask = 31;
enum GoKind : std::uint8_t {
  go_chan = 18,
  go_func = 19,
  go_interface = 20,
  go_map = 21,
  go_slice = 23,
  go_string = 24,
};

std::optional<TypeKind> kind_of_go(std::uint8_t go_kind) {
  switch (go_kind & kGoKindMask) {
    case go_chan:
      return TypeKind::go_channel;
    case go_func:
      return TypeKind::go_function;
    case go_interface:
      return TypeKind::go_interface;
    case go_map:
      return TypeKind::go_map;
    case go_slice:
      return TypeKind::go_slice;
    case go_string:
      return TypeKind::go_string;
    default:
      return std::nullopt;
  }
}

TypeKind kind_of_base(std::uint64_t encoding) {
  switch (encoding) {
    case dw::ATE_boolean:
      return TypeKind::boolean;
    case dw::ATE_complex_float:
    case dw::ATE_imaginary_float:
      return TypeKind::complex;
    case dw::ATE_float:
      return TypeKind::floating;
    case dw::ATE_signed:
    case dw::ATE_signed_fixed:
      return TypeKind::signed_integer;
    case dw::ATE_signed_char:
    case dw::ATE_unsigned_char:
    case dw::ATE_UTF:
      return TypeKind::character;
    default:
      return TypeKind::unsigned_integer;
  }
}

TypeKind kind_of(const DwarfTypeEntry& entry, bool go) {
  if (go && entry.go_kind)
    if (const auto kind = kind_of_go(*entry.go_kind)) return *kind;
  switch (entry.tag) {
    case dw::TAG_array_type:
      return TypeKind::array;
    case dw::TAG_class_type:
    case dw::TAG_interface_type:
      return TypeKind::class_type;
    case dw::TAG_enumeration_type:
      return TypeKind::enumeration;
    case dw::TAG_pointer_type:
      return TypeKind::pointer;
    case dw::TAG_reference_type:
    case dw::TAG_rvalue_reference_type:
      return TypeKind::reference;
    case dw::TAG_ptr_to_member_type:
      return TypeKind::member_pointer;
    case dw::TAG_structure_type:
      return TypeKind::structure;
    case dw::TAG_subroutine_type:
      return TypeKind::function;
    case dw::TAG_union_type:
      return TypeKind::union_type;
    case dw::TAG_base_type:
      return go || entry.encoding != dw::ATE_unsigned_char ? kind_of_base(entry.encoding)
                                                           : TypeKind::character;
    case dw::TAG_typedef:
    case dw::TAG_template_alias:
    case dw::TAG_subrange_type:
      return TypeKind::alias;
    case dw::TAG_unspecified_type:
      return TypeKind::none;
    default:
      return TypeKind::qualified;
  }
}

bool has_members(TypeKind kind) {
  switch (kind) {
    case TypeKind::structure:
    case TypeKind::class_type:
    case TypeKind::union_type:
    case TypeKind::go_string:
    case TypeKind::go_slice:
    case TypeKind::function:        // Its parameters.
    case TypeKind::member_pointer:  // The class it belongs to.
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<DwarfTypeEntry> DwarfTypeEntry::read(DwarfPlace place) {
  auto die = read_die(place);
  if (!die) return std::move(die).error();
  const DwarfUnit& unit = *place.unit;
  DwarfTypeEntry out{.place = place, .tag = die->tag()};
  const auto end = die->attributes([&](std::uint16_t name, const DwarfValue& value) {
    switch (name) {
      case dw::AT_name:
        out.name = value;
        break;
      case dw::AT_byte_size:
        out.bytes = value;
        break;
      case dw::AT_type:
        out.type = value;
        break;
      case dw::AT_signature:
        out.signature = value;
        break;
      case dw::AT_encoding:
        out.encoding = unit.number(value).value_or(0);
        break;
      case dw::AT_declaration:
        out.declaration = value.number != 0;
        break;
      case dw::AT_alignment:
        out.alignment = unit.number(value).value_or(0);
        break;
      case dw::AT_go_kind:
        out.go_kind = static_cast<std::uint8_t>(value.number);
        break;
      case dw::AT_go_key:
        out.go_key = value;
        break;
      case dw::AT_go_elem:
        out.go_elem = value;
        break;
      case dw::AT_go_runtime_type:
        out.go_runtime_type = value;
        break;
      case dw::AT_go_dict_index:
        out.dictionary_index = unit.number(value);
        break;
      default:
        break;
    }
  });
  if (!end) return dwarf_error(place, "the attributes do not fit into the unit");
  return out;
}

DwarfType::DwarfType(const DwarfTypes& store, DwarfTypeEntry entry, unsigned dimension,
                     std::string name)
    : store_(store),
      entry_(std::move(entry)),
      dimension_(dimension),
      language_(language_of(*entry_.place.unit)),
      kind_(kind_of(entry_, language_ == Language::go)),
      name_(std::move(name)) {}

/// Not by format_type: that asks for targets, which may be what there is none of.
Error DwarfType::no(std::string_view what) const {
  return {ErrorCode::not_found,
          "the type " + name_ + (name_.empty() ? "" : " ") + "has no " + std::string(what)};
}

const DwarfType& DwarfType::defined() const {
  if (!declaration_only()) return *this;
  std::call_once(definition_once_, [this] {
    auto found = store_.definition(*this);
    if (!found) return;
    const auto* type = static_cast<const DwarfType*>(*found);
    if (!type->declaration_only()) definition_ = type;
  });
  return definition_ ? *definition_ : *this;
}

bool DwarfType::complete() const { return !defined().declaration_only(); }

std::uint64_t DwarfType::bytes() const {
  const DwarfType& definition = defined();
  if (&definition != this) return definition.bytes();
  std::call_once(bytes_once_, [this] { bytes_ = compute_bytes(); });
  return bytes_;
}

std::uint64_t DwarfType::compute_bytes() const {
  if (declaration_only()) return 0;
  if (dimension_ == 0)
    if (const auto bytes = unit().number(entry_.bytes)) return *bytes;
  // What a chain of aliases, qualifiers and arrays ends in; without recursion, for it may be long.
  std::uint64_t factor = 1;
  const Type* type = this;
  for (int step = 0; step < 64; ++step) {
    const auto& here = static_cast<const DwarfType&>(*type);
    if (step > 0 && here.dimension_ == 0) {
      const DwarfType& definition = here.defined();
      if (const auto bytes = definition.unit().number(definition.entry_.bytes)) {
        std::uint64_t total = 0;
        return __builtin_mul_overflow(*bytes, factor, &total) ? 0 : total;
      }
    }
    switch (here.kind_) {
      case TypeKind::pointer:
      case TypeKind::reference:
      case TypeKind::go_function:
        return here.unit().header.address_bytes * factor;
      case TypeKind::member_pointer: {
        // Source: Itanium C++ ABI, section 2.3: an offset, or a function and what to add to `this`.
        auto to = here.target();
        const bool function = to && (*to)->kind() == TypeKind::function;
        return (function ? 2 : 1) * here.unit().header.address_bytes * factor;
      }
      case TypeKind::array: {
        const auto count = here.length();
        if (!count || __builtin_mul_overflow(factor, *count, &factor)) return 0;
        break;
      }
      case TypeKind::alias:
      case TypeKind::qualified:
      case TypeKind::enumeration:
        break;
      case TypeKind::go_map:
      case TypeKind::go_channel:
      case TypeKind::go_interface: {
        auto form = here.representation();
        if (!form) return 0;
        type = *form;
        continue;
      }
      default:
        return 0;
    }
    auto next = here.target();
    if (!next) return 0;
    type = *next;
  }
  return 0;
}

bool DwarfType::is_signed() const {
  switch (kind_) {
    case TypeKind::signed_integer:
      return true;
    case TypeKind::character:
      return entry_.encoding == dw::ATE_signed_char;
    case TypeKind::enumeration: {
      auto integer = defined().target();
      auto plain = integer ? stripped(*integer) : std::move(integer).error();
      if (plain) return (*plain)->kind() != TypeKind::enumeration && (*plain)->is_signed();
      for (const Enumerator& one : enumerators())
        if (one.value < 0) return true;
      return false;
    }
    default:
      return false;
  }
}

Result<const Type*> DwarfType::target() const {
  switch (kind_) {
    case TypeKind::go_slice:
    case TypeKind::go_map:
    case TypeKind::go_channel:
      if (!entry_.go_elem) return no("element type");
      return store_.referred(unit(), entry_.go_elem);
    case TypeKind::go_string:
    case TypeKind::go_interface:
    case TypeKind::go_function:
      return no("target");
    case TypeKind::array:
      if (dimension_ + 1 < dimensions().lengths.size())
        return store_.at(entry_.place, dimension_ + 1);
      break;
    case TypeKind::enumeration:
      if (const DwarfType& definition = defined(); &definition != this) return definition.target();
      break;
    default:
      break;
  }
  if (!entry_.type) return no("target");
  return store_.referred(unit(), entry_.type);
}

Result<const Type*> DwarfType::representation() const {
  switch (kind_) {
    case TypeKind::go_map:
    case TypeKind::go_channel:
    case TypeKind::go_interface:
      if (entry_.type) return store_.referred(unit(), entry_.type);
      break;
    default:
      break;
  }
  return no("other form");
}

Result<const Type*> DwarfType::key() const {
  if (!entry_.go_key) return no("key");
  return store_.referred(unit(), entry_.go_key);
}

std::uint64_t DwarfType::runtime_type() const {
  if (!entry_.go_runtime_type) return 0;
  auto offset = unit().address(entry_.go_runtime_type);
  return offset ? *offset : unit().number(entry_.go_runtime_type).value_or(0);
}

Result<std::span<const TypeMember>> DwarfType::members() const {
  const DwarfType& definition = defined();
  if (&definition != this) return definition.members();
  if (!has_members(kind_)) return no("members");
  if (declaration_only()) return no("definition");
  const Members& found = read_members();
  if (found.error) return *found.error;
  return std::span<const TypeMember>(found.all);
}

Result<const Type*> DwarfType::member_type(std::size_t index) const {
  const DwarfType& definition = defined();
  if (&definition != this) return definition.member_type(index);
  auto all = members();
  if (!all) return std::move(all).error();
  if (index >= members_.types.size()) return no("such member");
  return store_.referred(unit(), members_.types[index]);
}

Result<const Type*> DwarfType::template_argument(std::size_t index) const {
  const DwarfType& definition = defined();
  if (&definition != this) return definition.template_argument(index);
  auto all = members();
  if (!all) return std::move(all).error();
  if (index >= members_.arguments.size()) return no("such template argument");
  return store_.referred(unit(), members_.arguments[index]);
}

std::string_view DwarfType::keyword() const {
  switch (entry_.tag) {
    case dw::TAG_structure_type:
      return "struct";
    case dw::TAG_class_type:
      return "class";
    case dw::TAG_union_type:
      return "union";
    case dw::TAG_enumeration_type:
      return "enum";
    case dw::TAG_const_type:
      return "const";
    case dw::TAG_volatile_type:
      return "volatile";
    case dw::TAG_restrict_type:
      return language_ == Language::cxx ? "__restrict" : "restrict";
    case dw::TAG_atomic_type:
      return "_Atomic";
    case dw::TAG_pointer_type:
      return "*";
    case dw::TAG_reference_type:
      return "&";
    case dw::TAG_rvalue_reference_type:
      return "&&";
    default:
      return {};
  }
}

}  // namespace cgo
