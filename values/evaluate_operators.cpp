#include <algorithm>
#include <cmath>

#include "values/evaluator_walk.h"

namespace cgo {
namespace {

constexpr std::uint64_t kLongestText = 1u << 24;

bool is_shift(std::string_view sign) { return sign == "<<" || sign == ">>"; }

bool is_integer(TypeKind kind) {
  return kind == TypeKind::signed_integer || kind == TypeKind::unsigned_integer ||
         kind == TypeKind::character || kind == TypeKind::enumeration;
}

/// Wrapped to the type's size by being written and read again.
Result<Operand> typed(const Type* type, Result<Number> number) {
  if (!number) return std::move(number).error();
  return Operand::of(made_number(type, *number));
}

Operand constant(const Number& number, bool character) {
  if (number.is_floating) return {.kind = Operand::Kind::floating, .floating = number.floating};
  return {.kind = character ? Operand::Kind::character : Operand::Kind::integer,
          .integer = number.integer};
}

}  // namespace

Result<Operand> EvaluatorWalk::unary(const Tree& tree) {
  auto of = operand(*tree.parts[0]);
  if (!of) return of;
  if (tree.text == "!") {
    auto truth = truth_of(tree, *of);
    if (!truth) return std::move(truth).error();
    return boolean(!*truth);
  }
  auto number = at(tree, number_of(memory(), *of));
  if (!number) return std::move(number).error();
  Number out = *number;
  if (tree.text == "-") {
    out.floating = -out.floating;
    out.integer = -out.integer;
  } else if (tree.text == "^") {
    if (out.is_floating)
      return fail(tree, ErrorCode::unsupported, "\"^\" is not for floating numbers");
    out.integer = ~out.integer;
  }
  if (of->kind == Operand::Kind::value) {
    const TypeKind kind = kind_of(of->datum.type);
    if (!is_integer(kind) && kind != TypeKind::floating)
      return fail(tree, ErrorCode::malformed_data,
                  "\"" + tree.text + "\" is not for " + format_type(*of->datum.type));
    return typed(of->datum.type, out);
  }
  return constant(out, of->kind == Operand::Kind::character);
}

Result<Operand> EvaluatorWalk::binary(const Tree& tree) {
  if (tree.text == "&&" || tree.text == "||") return logical(tree);
  auto left = operand(*tree.parts[0]);
  if (!left) return left;
  auto right = operand(*tree.parts[1]);
  if (!right) return right;
  if (is_comparison(tree.text)) return comparison(tree, *left, *right);
  return arithmetic(tree, *left, *right);
}

Result<bool> EvaluatorWalk::truth_of(const Tree& tree, const Operand& operand) {
  if (operand.kind == Operand::Kind::boolean) return operand.boolean;
  const bool value = operand.kind == Operand::Kind::value;
  const bool c = value && !plain(operand.datum.type)->is_go();
  if (!value || (!c && kind_of(operand.datum.type) != TypeKind::boolean))
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" needs true or false" +
                    (value ? ", not " + format_type(*operand.datum.type) : ""));
  auto number = at(tree, number_of(memory(), operand));
  if (!number) return std::move(number).error();
  return number->is_floating ? number->floating != 0 : number->integer != 0;
}

Result<Operand> EvaluatorWalk::logical(const Tree& tree) {
  auto left = operand(*tree.parts[0]);
  if (!left) return left;
  auto truth = truth_of(tree, *left);
  if (!truth) return std::move(truth).error();
  if (*truth == (tree.text == "||")) return boolean(*truth);
  auto right = operand(*tree.parts[1]);
  if (!right) return right;
  truth = truth_of(tree, *right);
  if (!truth) return std::move(truth).error();
  return boolean(*truth);
}

Result<std::optional<std::string>> EvaluatorWalk::text_of(const Operand& operand) {
  if (operand.kind == Operand::Kind::text) return std::optional(operand.text);
  if (operand.kind != Operand::Kind::value || kind_of(operand.datum.type) != TypeKind::go_string)
    return std::optional<std::string>();
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
  return boolean(compare(tree.text, *word ? 1 : 0));
}

Result<Operand> EvaluatorWalk::comparison(const Tree& tree, const Operand& left,
                                          const Operand& right) {
  using Kind = Operand::Kind;
  if (left.kind == Kind::nil && right.kind == Kind::value) return with_nil(tree, right.datum);
  if (right.kind == Kind::nil && left.kind == Kind::value) return with_nil(tree, left.datum);
  auto a = at(tree, text_of(left)), b = at(tree, text_of(right));
  if (!a) return std::move(a).error();
  if (!b) return std::move(b).error();
  if (*a && *b) return boolean(compare(tree.text, (*a)->compare(**b)));
  const auto is_bool = [](const Operand& o) {
    return o.kind == Kind::boolean ||
           (o.kind == Kind::value && kind_of(o.datum.type) == TypeKind::boolean);
  };
  const bool equality = tree.text == "==" || tree.text == "!=";
  if (is_bool(left) && is_bool(right) && equality) {
    auto x = truth_of(tree, left), y = truth_of(tree, right);
    if (!x) return std::move(x).error();
    if (!y) return std::move(y).error();
    return boolean((*x == *y) == (tree.text == "=="));
  }
  auto type = common_type(tree, left, right);
  if (!type) return std::move(type).error();
  const TypeKind kind = kind_of(*type);
  const bool numbers = *type == nullptr || is_integer(kind) || kind == TypeKind::floating ||
                       kind == TypeKind::pointer;
  if (!numbers) {
    if (!equality)
      return fail(tree, ErrorCode::malformed_data, format_type(**type) + " has no order");
    auto same = at(tree, equal_values(context_, left.datum, right.datum));
    if (!same) return std::move(same).error();
    return boolean(*same == (tree.text == "=="));
  }
  auto x = at(tree, number_of(memory(), left)), y = at(tree, number_of(memory(), right));
  if (!x) return std::move(x).error();
  if (!y) return std::move(y).error();
  if (x->is_floating || y->is_floating) {
    const double p = x->as_floating(), q = y->as_floating();
    if (p != p || q != q) return boolean(tree.text == "!=");
    return boolean(compare(tree.text, p < q ? -1 : p > q ? 1 : 0));
  }
  return boolean(compare(tree.text, x->integer < y->integer   ? -1
                                    : x->integer > y->integer ? 1
                                                              : 0));
}

Result<const Type*> EvaluatorWalk::common_c_type(const Tree& tree, const Datum& left,
                                                 const Datum& right) {
  const Type* a = plain(left.type);
  const Type* b = plain(right.type);
  if (a->kind() == TypeKind::pointer || b->kind() == TypeKind::pointer)
    return a->kind() == TypeKind::pointer ? a : b;
  const auto usable = [](const Type* type) {
    return is_integer(type->kind()) || type->kind() == TypeKind::floating ||
           type->kind() == TypeKind::boolean;
  };
  if (!usable(a) || !usable(b)) {
    if (a == b) return a;
    return fail(tree, ErrorCode::malformed_data,
                "mismatched types " + format_type(*left.type) + " and " + format_type(*right.type));
  }
  if (a->kind() == TypeKind::floating || b->kind() == TypeKind::floating)
    return types_.predeclared("float64");
  // Source: C17, 6.3.1.8: what is narrower than int becomes int; the wider one decides.
  const std::uint64_t bytes = std::max<std::uint64_t>({a->bytes(), b->bytes(), 4});
  const bool unsigned_result =
      (a->bytes() == bytes && !a->is_signed()) || (b->bytes() == bytes && !b->is_signed());
  return types_.predeclared(bytes == 8 ? (unsigned_result ? "uint64" : "int64")
                                       : (unsigned_result ? "uint32" : "int32"));
}

Result<const Type*> EvaluatorWalk::common_type(const Tree& tree, const Operand& left,
                                               const Operand& right) {
  const bool a = left.kind == Operand::Kind::value, b = right.kind == Operand::Kind::value;
  if (left.kind == Operand::Kind::type || right.kind == Operand::Kind::type)
    return fail(tree, ErrorCode::malformed_data, "a type is no value");
  if (!a && !b) return static_cast<const Type*>(nullptr);
  if (a && b) {
    const Type* x = plain(left.datum.type);
    const Type* y = plain(right.datum.type);
    if (!x->is_go() || !y->is_go()) return common_c_type(tree, left.datum, right.datum);
    const std::string p = format_type(*left.datum.type), q = format_type(*right.datum.type);
    if (x == y || p == q) return left.datum.type;
    return fail(tree, ErrorCode::malformed_data, "mismatched types " + p + " and " + q);
  }
  // A constant takes the type of the other side, if it fits.
  const Datum& value = a ? left.datum : right.datum;
  const Operand& other = a ? right : left;
  const TypeKind kind = kind_of(value.type);
  const bool whole = other.kind == Operand::Kind::integer || other.kind == Operand::Kind::character;
  const bool number = whole || other.kind == Operand::Kind::floating;
  const bool c = !plain(value.type)->is_go();
  if (number && kind == TypeKind::floating) return value.type;
  const bool integral =
      whole || other.floating == static_cast<double>(static_cast<std::int64_t>(
                                     std::abs(other.floating) < 1e18 ? other.floating : 0.5));
  if (number && (is_integer(kind) || (c && kind == TypeKind::boolean))) {
    if (!integral) {
      if (c) return types_.predeclared("float64");
      return fail(tree, ErrorCode::malformed_data,
                  "the constant is not whole, " + format_type(*value.type) + " is");
    }
    if (c && value.type->bytes() < 4) return types_.predeclared("int32");
    return value.type;
  }
  if (number && kind == TypeKind::pointer) return value.type;
  return fail(
      tree, ErrorCode::malformed_data,
      "\"" + tree.text + "\" does not take " + format_type(*value.type) + " and this constant");
}

Result<Operand> EvaluatorWalk::arithmetic(const Tree& tree, const Operand& left,
                                          const Operand& right) {
  auto a = at(tree, number_of(memory(), left)), b = at(tree, number_of(memory(), right));
  if (!a) return std::move(a).error();
  if (!b) return std::move(b).error();
  if (is_shift(tree.text)) {
    auto shifted = at(tree, compute(tree.text, *a, *b));
    if (!shifted) return std::move(shifted).error();
    if (left.kind == Operand::Kind::value) return typed(left.datum.type, *shifted);
    if (tree.text == "<<" && b->integer > 62)
      return fail(tree, ErrorCode::unsupported, "the constant is too large");
    return constant(*shifted, false);
  }
  auto type = common_type(tree, left, right);
  if (!type) return std::move(type).error();
  const TypeKind kind = kind_of(*type);
  if (*type != nullptr && !is_integer(kind) && kind != TypeKind::floating) {
    if (kind == TypeKind::pointer && !plain(*type)->is_go())
      return fail(tree, ErrorCode::unsupported,
                  "arithmetic with pointers; index them: p[n], &p[n]");
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" is not for " + format_type(**type));
  }
  if (*type != nullptr && is_integer(kind)) {
    // A whole constant written as "2.0" is an integer here.
    for (Number* one : {&*a, &*b})
      if (one->is_floating) *one = {.integer = static_cast<WideInteger>(one->floating)};
  }
  auto result = at(tree, compute(tree.text, *a, *b));
  if (!result) return std::move(result).error();
  if (*type != nullptr) return typed(*type, *result);
  const bool character =
      left.kind == Operand::Kind::character || right.kind == Operand::Kind::character;
  return constant(*result, character);
}

}  // namespace cgo
