#include "values/structure_fields.h"

namespace cgo {

std::optional<Datum> StructureFields::at(std::initializer_list<std::string_view> names) const {
  Datum datum = datum_;
  for (const std::string_view name : names) {
    auto field = own_field_of(datum, name);
    if (!field) return std::nullopt;
    datum = *std::move(field);
  }
  return datum;
}

std::optional<std::int64_t> StructureFields::number(
    std::initializer_list<std::initializer_list<std::string_view>> paths) const {
  for (const auto& path : paths) {
    const auto field = at(path);
    if (!field) continue;
    if (plain(field->type)->is_signed()) {
      auto value = load_signed(memory(), *field);
      return value ? std::optional(*value) : std::nullopt;
    }
    auto value = load_unsigned(memory(), *field);
    return value ? std::optional(static_cast<std::int64_t>(*value)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cgo
