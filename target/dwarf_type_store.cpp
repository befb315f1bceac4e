#include "target/dwarf_type_store.h"

#include "target/dwarf_constants.h"
#include "target/dwarf_type.h"

namespace cgo {
namespace {

bool is_type(std::uint32_t tag) {
  switch (tag) {
    case dw::TAG_array_type:
    case dw::TAG_class_type:
    case dw::TAG_enumeration_type:
    case dw::TAG_pointer_type:
    case dw::TAG_reference_type:
    case dw::TAG_structure_type:
    case dw::TAG_subroutine_type:
    case dw::TAG_typedef:
    case dw::TAG_union_type:
    case dw::TAG_ptr_to_member_type:
    case dw::TAG_subrange_type:
    case dw::TAG_base_type:
    case dw::TAG_const_type:
    case dw::TAG_packed_type:
    case dw::TAG_volatile_type:
    case dw::TAG_restrict_type:
    case dw::TAG_interface_type:
    case dw::TAG_unspecified_type:
    case dw::TAG_rvalue_reference_type:
    case dw::TAG_template_alias:
    case dw::TAG_atomic_type:
    case dw::TAG_immutable_type:
      return true;
    default:
      return false;
  }
}

/// Base types are never in a namespace, and what is made from another type has no name.
bool may_be_scoped(std::uint32_t tag) {
  switch (tag) {
    case dw::TAG_class_type:
    case dw::TAG_structure_type:
    case dw::TAG_union_type:
    case dw::TAG_interface_type:
    case dw::TAG_enumeration_type:
    case dw::TAG_typedef:
    case dw::TAG_template_alias:
      return true;
    default:
      return false;
  }
}

}  // namespace

DwarfTypes::DwarfTypes(const DwarfCode& code, Definitions definitions)
    : code_(code), definitions_(std::move(definitions)) {}

DwarfTypes::~DwarfTypes() = default;

Result<const Type*> DwarfTypes::at(DwarfPlace place, unsigned dimension) const {
  const Key key{place.unit, place.offset, dimension};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = types_.find(key); found != types_.end()) return found->second.get();
  }
  auto entry = DwarfTypeEntry::read(place);
  if (!entry) return std::move(entry).error();
  if (!is_type(entry->tag))
    return dwarf_error(place, "an entry with tag " + hex(entry->tag) + " is no type");
  std::string name;
  if (entry->name && dimension == 0) {
    auto text = place.unit->text(entry->name);
    if (!text) return std::move(text).error();
    auto full = may_be_scoped(entry->tag) ? qualified(place, *text) : std::string(*text);
    if (!full) return std::move(full).error();
    name = *std::move(full);
  }
  auto made =
      std::make_unique<const DwarfType>(*this, *std::move(entry), dimension, std::move(name));
  const std::lock_guard lock(mutex_);
  return types_.try_emplace(key, std::move(made)).first->second.get();
}

Result<const Type*> DwarfTypes::referred(const DwarfUnit& unit, const DwarfValue& link) const {
  if (!link) return Error{ErrorCode::not_found, "no type is given"};
  auto place = unit.reference(link);
  if (!place) return std::move(place).error();
  return at(*place);
}

Result<std::string> DwarfTypes::qualified(DwarfPlace place, std::string_view name) const {
  const Language language = language_of(*place.unit);
  if (language == Language::go || language == Language::c) return std::string(name);
  auto contents = code_.contents(*place.unit);
  if (!contents) return std::move(contents).error();
  return (*contents)->qualified(*place.unit, place.offset, name);
}

/// Units may each have their own type of one name. Which of them a declaration means only the
/// program's author knows, so types that differ in size are not chosen from.
Result<const Type*> DwarfTypes::definition(const DwarfType& declaration) const {
  const DwarfTypeEntry& entry = declaration.entry();
  if (entry.signature) return referred(*entry.place.unit, entry.signature);
  if (declaration.name().empty() || !definitions_)
    return Error{ErrorCode::not_found, "a type is declared only"};
  auto places = definitions_(declaration.name());
  if (!places) return std::move(places).error();
  const Type* chosen = nullptr;
  std::optional<std::uint64_t> chosen_bytes;  // As stated: to compute it may need a definition.
  for (const DwarfPlace& place : *places) {
    auto found = at(place);
    if (!found) return found;
    const auto& type = static_cast<const DwarfType&>(**found);
    const bool same_kind =
        type.kind() == declaration.kind() ||
        (type.kind() == TypeKind::structure && declaration.kind() == TypeKind::class_type) ||
        (type.kind() == TypeKind::class_type && declaration.kind() == TypeKind::structure);
    if (type.declaration_only() || !same_kind || type.is_go() != declaration.is_go()) continue;
    const auto bytes = place.unit->number(type.entry().bytes);
    if (chosen && bytes != chosen_bytes)
      return Error{ErrorCode::not_found, "several types have the name " + std::string(type.name())};
    if (!chosen || place.unit == entry.place.unit) chosen = &type;
    chosen_bytes = bytes;
  }
  if (!chosen)
    return Error{ErrorCode::not_found,
                 "the type " + std::string(declaration.name()) + " is declared only"};
  return chosen;
}

}  // namespace cgo
