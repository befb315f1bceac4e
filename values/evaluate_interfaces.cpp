#include "values/evaluator_walk.h"
#include "values/method_sets.h"
#include "values/type_relations.h"

namespace cgo {

/// The interface value again, seen as one of another interface type.
Result<Operand> EvaluatorWalk::as_interface(const Tree& tree, const Type* type,
                                            const Datum& interface) {
  auto contents = at(tree, interface_contents(context_, interface));
  if (!contents) return std::move(contents).error();
  // A table of methods for this pair of types may not exist, so it is made without one.
  const Type* form = types_.interface_named(format_type(*type));
  if (!*contents) return Operand::of(made_words(form, {0, 0}));
  return Operand::of(made_words(form, {(*contents)->type.address.value, (*contents)->word.value}));
}

Result<Operand> EvaluatorWalk::assertion(const Tree& tree) {
  auto interface = value(*tree.parts[0]);
  if (!interface) return std::move(interface).error();
  if (kind_of(interface->type) != TypeKind::go_interface)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*interface->type) + " is no interface");
  auto wanted = type(*tree.parts[1]);
  if (!wanted) return std::move(wanted).error();
  auto held = at(tree, dynamic_value(context_, *interface));
  if (!held) return std::move(held).error();
  const std::string name = format_type(**wanted);
  if (!*held)
    return fail(tree, ErrorCode::not_found, "the interface is nil, it does not hold " + name);
  const std::string have = format_type(*(*held)->type);
  if (kind_of(*wanted) == TypeKind::go_interface) {
    auto lacking = at(tree, missing_method(context_, *(*held)->type, **wanted));
    if (!lacking) return std::move(lacking).error();
    if (!lacking->empty())
      return fail(tree, ErrorCode::not_found,
                  "the interface holds " + have + ", which has no " + name + ": " + *lacking);
    return as_interface(tree, *wanted, *interface);
  }
  if (!same_type((*held)->type, *wanted))
    return fail(tree, ErrorCode::not_found, "the interface holds " + have + ", not " + name);
  return Operand::of(**std::move(held));
}

Result<Operand> EvaluatorWalk::convert_to_interface(const Tree& tree, const Type* type,
                                                    const Operand& from) {
  const Type* source = from.datum.type;
  if (kind_of(source) != TypeKind::go_interface)
    return fail(
        tree, ErrorCode::unsupported,
        "values are not put into interfaces; " + format_type(*source) + " is shown as it is");
  auto lacking = at(tree, missing_method(context_, *source, *type));
  if (!lacking) return std::move(lacking).error();
  if (!lacking->empty())
    return fail(tree, ErrorCode::malformed_data,
                format_type(*source) + " is no " + format_type(*type) + ": " + *lacking);
  return as_interface(tree, type, from.datum);
}

/// The type that the interface has to hold to be equal to a value or constant.
const Type* EvaluatorWalk::type_to_hold(const Operand& other) const {
  if (other.kind == Operand::Kind::value) return other.datum.type;
  return other.type != nullptr ? other.type : types_.predeclared(default_type(other));
}

/// Whether Go compares values of the interface type with this value or constant at all.
Result<void> EvaluatorWalk::check_holdable(const Tree& tree, const Type* interface,
                                           const Operand& other) {
  const Type* type = type_to_hold(other);
  if (type == nullptr) return fail(tree, ErrorCode::malformed_data, "nil alone has no type");
  auto comparable = at(tree, check_comparable(type));
  if (!comparable) return comparable;
  auto lacking = at(tree, missing_method(context_, *type, *interface));
  if (!lacking) return std::move(lacking).error();
  if (lacking->empty()) return {};
  return fail(tree, ErrorCode::malformed_data,
              "mismatched types " + format_type(*interface) + " and " + format_type(*type) + ": " +
                  *lacking);
}

/// Whether the interface holds what check_holdable found fit, of that type.
Result<bool> EvaluatorWalk::holds(const Tree& tree, const Datum& interface, const Operand& other) {
  auto held = at(tree, dynamic_value(context_, interface));
  if (!held) return std::move(held).error();
  if (!*held || !same_type((*held)->type, type_to_hold(other))) return false;
  if (other.kind == Operand::Kind::text) {
    auto text = at(tree, text_of(Operand::of(**held)));
    if (!text) return std::move(text).error();
    return *text == other.text;
  }
  auto datum = as_value(tree, other);
  if (!datum) return std::move(datum).error();
  return at(tree, equal_values(context_, **held, *datum));
}

}  // namespace cgo
