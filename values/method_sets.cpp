#include "values/method_sets.h"

#include <algorithm>

#include "values/type_relations.h"

namespace cgo {
namespace {

/// Methods of a package's own have lower-case names; two packages may have the same ones.
bool is_exported(std::string_view name) {
  const auto first = static_cast<unsigned char>(name.empty() ? 0 : name.front());
  return (first >= 'A' && first <= 'Z') || first >= 0x80;
}

/// int, string and the like: they have no methods, and perhaps no description.
bool is_predeclared(const Type& type) {
  const TypeKind kind = type.kind();
  const bool basic = kind == TypeKind::boolean || kind == TypeKind::signed_integer ||
                     kind == TypeKind::unsigned_integer || kind == TypeKind::floating ||
                     kind == TypeKind::complex || kind == TypeKind::go_string;
  return basic && type.is_go() && type.name().find('.') == std::string_view::npos;
}

Result<bool> has_method(const TypeDetails& details, const std::vector<DescribedMethod>& methods,
                        const DescribedMethod& wanted, const TypeDetails& interface) {
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const DescribedMethod& one) {
    return one.name == wanted.name;
  });
  if (found == methods.end()) return false;
  if (!is_exported(wanted.name) && details.package != interface.package)
    return Error{ErrorCode::unsupported,
                 "whether method " + wanted.name + " is that of the same package is not known"};
  if (!found->type || !wanted.type)
    return Error{ErrorCode::unsupported,
                 "the linker removed what is known of method " + wanted.name};
  return found->type == wanted.type;
}

}  // namespace

Result<std::string> missing_method(const ValueContext& context, const Type& type,
                                   const Type& interface) {
  auto empty = context.is_empty_interface(*plain(&interface));
  if (empty && *empty) return std::string();
  auto wanted = context.details_of(*plain(&interface));
  if (!wanted) return std::move(wanted).error();
  auto details = is_predeclared(*plain(&type)) ? TypeDetails{} : context.details_of(*plain(&type));
  if (!details) return std::move(details).error();
  const bool is_interface = kind_of(&type) == TypeKind::go_interface;
  const auto& methods = is_interface ? details->interface_methods : details->methods;
  for (const DescribedMethod& method : wanted->interface_methods) {
    auto has = has_method(*details, methods, method, *wanted);
    if (!has) return std::move(has).error();
    if (!*has) return "missing method " + method.name;
  }
  return std::string();
}

Result<std::optional<InterfaceContents>> interface_contents(const ValueContext& context,
                                                            const Datum& interface) {
  auto words = load_part(context.memory(), interface, 0, 16);
  if (!words) return std::move(words).error();
  // The nil interface of either form.
  if (std::all_of(words->begin(), words->begin() + 8, [](std::byte b) { return b == std::byte{}; }))
    return std::optional<InterfaceContents>();
  auto empty = context.is_empty_interface(*plain(interface.type));
  if (!empty) return std::move(empty).error();
  return decode_interface(context.memory(), *words, *empty);
}

}  // namespace cgo
