#include "values/opaque_structure.h"

#include <string>

namespace cgo {
namespace {

/// "struct x" for a Go type that cgo made of a C structure whose definition it did not see; else
/// empty. Such a type has no fields and no bytes.
std::string opaque_name(const Type& type) {
  constexpr std::string_view kMark = "._Ctype_struct_";
  if (!type.is_go() || type.kind() != TypeKind::structure || type.bytes() != 0) return {};
  const std::size_t mark = type.name().rfind(kMark);
  if (mark == std::string_view::npos) return {};
  return "struct " + std::string(type.name().substr(mark + kMark.size()));
}

}  // namespace

Result<Datum> pointee_in(const ValueContext& context, const Datum& pointer) {
  auto target = pointee_of(context.memory(), pointer);
  if (!target) return target;
  const std::string name = opaque_name(*plain(target->type));
  if (name.empty()) return target;
  const auto defined = context.type_named(name);
  if (defined && !(*defined)->is_go() && (*defined)->complete()) target->type = *defined;
  return target;
}

}  // namespace cgo
