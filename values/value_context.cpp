#include "values/value_context.h"

namespace cgo {
namespace {

Error unknown(const char* what) { return {ErrorCode::not_found, what}; }

}  // namespace

Result<const Type*> ValueContext::dynamic_type(Address) const {
  return unknown("no Go types are known");
}
Result<MapShape> ValueContext::map_shape_of(const Type&) const {
  return unknown("how this map lies in memory is not known");
}
Result<bool> ValueContext::is_empty_interface(const Type& interface) const {
  // Debug information has the runtime's structure for it: runtime.eface or runtime.iface.
  auto form = interface.representation();
  auto structure = form ? stripped(*form) : std::move(form).error();
  auto members = structure ? (*structure)->members() : std::move(structure).error();
  if (members && !members->empty()) return members->front().name == "_type";
  return unknown("whether this interface type has methods is not known");
}
Result<TypeDetails> ValueContext::details_of(const Type& type) const {
  return Error{ErrorCode::not_found, format_type(type) + " has no descriptor in the program"};
}
std::optional<CodePlace> ValueContext::place_of(Address) const { return std::nullopt; }
std::vector<CapturedVariable> ValueContext::captured_variables(Address) const { return {}; }
std::optional<std::uint64_t> ValueContext::goroutine_id(Address) const { return std::nullopt; }
Result<Datum> ValueContext::variable_named(std::string_view name) const {
  return Error{ErrorCode::not_found, "no variable \"" + std::string(name) + "\""};
}
std::vector<std::string> ValueContext::packages_named(std::string_view) const { return {}; }
Result<const Type*> ValueContext::type_named(std::string_view name) const {
  return Error{ErrorCode::not_found, "no type \"" + std::string(name) + "\""};
}

}  // namespace cgo
