#include "values/evaluator_walk.h"
#include "values/type_relations.h"

namespace cgo {
namespace {

using Kind = Operand::Kind;

constexpr std::uint64_t kLongestText = 1u << 24;

bool is_boolean(const Operand& operand) {
  return operand.kind == Kind::boolean || operand.is_value(TypeKind::boolean);
}

/// The type of strings that it has; null for an untyped text and for what is none.
const Type* text_type(const Operand& operand) {
  return operand.kind == Kind::text ? operand.type : operand.datum.type;
}

Error mismatched(const Type* left, const Type* right) {
  return {ErrorCode::malformed_data,
          "mismatched types " + format_type(*left) + " and " + format_type(*right)};
}

}  // namespace

Result<Operand> EvaluatorWalk::binary(const Tree& tree) {
  if (tree.text == "&&" || tree.text == "||") return logical(tree);
  auto left = referred(*tree.parts[0]);
  if (!left) return left;
  auto right = referred(*tree.parts[1]);
  if (!right) return right;
  if (left->kind == Kind::type || right->kind == Kind::type)
    return fail(tree, ErrorCode::malformed_data, "a type is no value");
  if (is_comparison(tree.text)) return comparison(tree, *left, *right);
  return arithmetic(tree, *left, *right);
}

Result<bool> EvaluatorWalk::truth_of(const Tree& tree, const Operand& operand) {
  if (operand.kind == Kind::boolean) return operand.boolean;
  const bool value = operand.kind == Kind::value;
  const bool c = value && !plain(operand.datum.type)->is_go();
  if (!value || (!c && kind_of(operand.datum.type) != TypeKind::boolean))
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" needs true or false" +
                    (value ? ", not " + format_type(*operand.datum.type) : ""));
  auto number = at(tree, number_of(memory(), operand));
  if (!number) return std::move(number).error();
  return !number->is_zero();
}

Operand EvaluatorWalk::truth_like(const Operand& operand, bool value) {
  if (!operand.is_value(TypeKind::boolean)) return Operand::of_truth(value);
  return Operand::of(made_number(operand.datum.type, Number::of(value)));
}

Result<Operand> EvaluatorWalk::logical(const Tree& tree) {
  auto left = referred(*tree.parts[0]);
  if (!left) return left;
  auto truth = truth_of(tree, *left);
  if (!truth) return std::move(truth).error();
  if (*truth == (tree.text == "||")) return truth_like(*left, *truth);
  auto right = referred(*tree.parts[1]);
  if (!right) return right;
  truth = truth_of(tree, *right);
  if (!truth) return std::move(truth).error();
  const bool both = left->is_value(TypeKind::boolean) && right->is_value(TypeKind::boolean);
  if (both && !same_type(left->datum.type, right->datum.type))
    return fail(tree, mismatched(left->datum.type, right->datum.type));
  return truth_like(left->kind == Kind::value ? *left : *right, *truth);
}

/// The text of a constant or of a string; nothing for what is neither.
Result<std::optional<std::string>> EvaluatorWalk::text_of(const Operand& operand) {
  if (operand.kind == Kind::text) return std::optional(operand.text);
  if (!operand.is_value(TypeKind::go_string)) return std::optional<std::string>();
  auto text = load_go_string(memory(), operand.datum, kLongestText);
  if (!text) return std::move(text).error();
  if (text->text.size() < text->length)
    return Error{ErrorCode::limit_reached, "the string is too long to compare"};
  return std::optional(std::move(text->text));
}

Result<Operand> EvaluatorWalk::with_nil(const Tree& tree, const Datum& value) {
  if (tree.text != "==" && tree.text != "!=")
    return fail(tree, ErrorCode::malformed_data, "nil is only equal or not");
  switch (kind_of(value.type)) {
    case TypeKind::pointer:
    case TypeKind::go_slice:
    case TypeKind::go_map:
    case TypeKind::go_channel:
    case TypeKind::go_function:
    case TypeKind::go_interface:
      break;
    default:
      return fail(tree, ErrorCode::malformed_data, format_type(*value.type) + " is never nil");
  }
  auto word = at(tree, load_word(memory(), value));
  if (!word) return std::move(word).error();
  return Operand::of_truth(compare(tree.text, *word ? 1 : 0));
}

Result<Operand> EvaluatorWalk::comparison(const Tree& tree, const Operand& left,
                                          const Operand& right) {
  if (left.kind == Kind::nil && right.kind == Kind::value) return with_nil(tree, right.datum);
  if (right.kind == Kind::nil && left.kind == Kind::value) return with_nil(tree, left.datum);
  if (left.is_value(TypeKind::go_interface) || right.is_value(TypeKind::go_interface))
    return equality(tree, left, right);
  auto a = at(tree, text_of(left)), b = at(tree, text_of(right));
  if (!a) return std::move(a).error();
  if (!b) return std::move(b).error();
  if (*a && *b) {
    const Type *x = text_type(left), *y = text_type(right);
    if (x != nullptr && y != nullptr && !same_type(x, y)) return fail(tree, mismatched(x, y));
    return Operand::of_truth(compare(tree.text, (*a)->compare(**b)));
  }
  if (is_boolean(left) && is_boolean(right)) return equality(tree, left, right);
  auto type = common_type(tree, left, right);
  if (!type) return std::move(type).error();
  if (*type != nullptr && !number_kind(*type) && kind_of(*type) != TypeKind::boolean)
    return equality(tree, left, right);
  const bool order = tree.text != "==" && tree.text != "!=";
  if (order && *type != nullptr && kind_of(*type) == TypeKind::pointer && plain(*type)->is_go())
    return fail(tree, ErrorCode::malformed_data, format_type(**type) + " has no order");
  auto x = taken_as(tree, left, *type), y = taken_as(tree, right, *type);
  if (!x) return std::move(x).error();
  if (!y) return std::move(y).error();
  const auto result = compare_numbers(tree.text, *x, *y);
  if (!result) return fail(tree, ErrorCode::malformed_data, "complex numbers have no order");
  return Operand::of_truth(*result);
}

/// == and != of what is neither number nor text.
Result<Operand> EvaluatorWalk::equality(const Tree& tree, const Operand& left,
                                        const Operand& right) {
  const bool equal = tree.text == "==";
  const auto result = [&](Result<bool> same) -> Result<Operand> {
    if (!same) return std::move(same).error();
    return Operand::of_truth(*same == equal);
  };
  if (!equal && tree.text != "!=")
    return fail(tree, ErrorCode::malformed_data, "\"" + tree.text + "\" is for what has an order");
  if (is_boolean(left) && is_boolean(right)) {
    const bool typed = left.kind == Kind::value && right.kind == Kind::value;
    if (typed && !same_type(left.datum.type, right.datum.type) && plain(left.datum.type)->is_go() &&
        plain(right.datum.type)->is_go())
      return fail(tree, mismatched(left.datum.type, right.datum.type));
    auto a = truth_of(tree, left), b = truth_of(tree, right);
    if (!a) return std::move(a).error();
    if (!b) return std::move(b).error();
    return result(*a == *b);
  }
  const bool a = left.is_value(TypeKind::go_interface), b = right.is_value(TypeKind::go_interface);
  if (a != b) {
    const Datum& interface = (a ? left : right).datum;
    const Operand& other = a ? right : left;
    auto holdable = check_holdable(tree, interface.type, other);
    if (!holdable) return std::move(holdable).error();
    return result(holds(tree, interface, other));
  }
  auto comparable = at(tree, check_comparable(left.datum.type));
  if (!comparable) return std::move(comparable).error();
  return result(at(tree, equal_values(context_, left.datum, right.datum)));
}

}  // namespace cgo
