#include <algorithm>

#include "values/evaluator_walk.h"
#include "values/type_relations.h"

namespace cgo {
namespace {

using Kind = Operand::Kind;

bool is_shift(std::string_view sign) { return sign == "<<" || sign == ">>"; }

bool is_integer(const Type* type) {
  return number_kind(type) == Number::Kind::integer && kind_of(type) != TypeKind::pointer;
}

/// Where C computes at all.
bool is_arithmetic(const Type* type) {
  return is_integer(type) || kind_of(type) == TypeKind::floating ||
         kind_of(type) == TypeKind::boolean;
}

}  // namespace

/// A result of this type, wrapped to its size; of constants it has to fit.
Result<Operand> EvaluatorWalk::typed(const Tree& tree, const Type* type, const Number& number,
                                     bool constant) {
  if (constant && plain(type)->is_go()) {
    auto fitting = at(tree, representable(number, type));
    if (!fitting) return std::move(fitting).error();
  }
  Operand out = Operand::of(made_number(type, number));
  out.constant = constant;
  return out;
}

Result<Operand> EvaluatorWalk::unary(const Tree& tree) {
  auto of = referred(*tree.parts[0]);
  if (!of) return of;
  if (tree.text == "!") {
    auto truth = truth_of(tree, *of);
    if (!truth) return std::move(truth).error();
    return truth_like(*of, !*truth);
  }
  auto number = at(tree, number_of(memory(), *of));
  if (!number) return std::move(number).error();
  const bool value = of->kind == Kind::value;
  if (value && (!number_kind(of->datum.type) || kind_of(of->datum.type) == TypeKind::pointer))
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" is not for " + format_type(*of->datum.type));
  Number out = *number;
  if (tree.text == "-") {
    out = {out.kind, -out.integer, -out.real, -out.imaginary};
  } else if (tree.text == "^") {
    if (out.kind != Number::Kind::integer)
      return fail(tree, ErrorCode::unsupported, "\"^\" is for integers");
    out.integer = ~out.integer;
  }
  if (!value) return Operand::of_constant(out, of->character);
  const bool checked = of->constant && tree.text == "-";
  auto result = typed(tree, of->datum.type, out, checked);
  if (result) result->constant = of->constant;
  return result;
}

/// The shift of an untyped constant by a value has the type that the rest of the expression asks
/// for: only what fits all of them, an int, is known.
Result<Operand> EvaluatorWalk::shifted(const Tree& tree, const Operand& left,
                                       const Operand& right) {
  auto value = at(tree, number_of(memory(), left)), places = at(tree, number_of(memory(), right));
  if (!value) return std::move(value).error();
  if (!places) return std::move(places).error();
  const bool typed_left = left.kind == Kind::value;
  const auto a = typed_left && !is_integer(left.datum.type) ? std::nullopt : value->whole();
  const auto b =
      right.kind == Kind::value && !is_integer(right.datum.type) ? std::nullopt : places->whole();
  if (!a || !b) return fail(tree, ErrorCode::malformed_data, "only integers are shifted");
  const bool constant = left.is_constant() && right.is_constant();
  auto result = at(tree, shift(tree.text, *a, *b, !typed_left));
  if (!result) return std::move(result).error();
  if (typed_left) return typed(tree, left.datum.type, *result, constant);
  if (!constant && !representable(*result, types_.predeclared("int")))
    return fail(tree, ErrorCode::unsupported,
                "the type of the constant that is shifted is not known");
  return Operand::of_constant(*result, left.character);
}

Result<Operand> EvaluatorWalk::arithmetic(const Tree& tree, const Operand& left,
                                          const Operand& right) {
  if (is_shift(tree.text)) return shifted(tree, left, right);
  auto type = common_type(tree, left, right);
  if (!type) return std::move(type).error();
  if (*type != nullptr && kind_of(*type) == TypeKind::pointer && !plain(*type)->is_go())
    return fail(tree, ErrorCode::unsupported, "arithmetic with pointers; index them: p[n], &p[n]");
  if (*type != nullptr && (!number_kind(*type) || kind_of(*type) == TypeKind::pointer))
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" is not for " + format_type(**type));
  auto a = taken_as(tree, left, *type), b = taken_as(tree, right, *type);
  if (!a) return std::move(a).error();
  if (!b) return std::move(b).error();
  if (*type == nullptr) {
    auto result = at(tree, compute_constant(tree.text, *a, *b));
    if (!result) return std::move(result).error();
    return Operand::of_constant(*result, left.character || right.character);
  }
  // A side of C may have had another type.
  const Number::Kind kind = *number_kind(*type);
  const bool constant = left.is_constant() && right.is_constant();
  if (constant && tree.text == "/" && b->is_zero())
    return fail(tree, ErrorCode::malformed_data, "division by zero");
  auto result = at(tree, compute_typed(tree.text, *type, a->as(kind), b->as(kind)));
  if (!result) return std::move(result).error();
  return typed(tree, *type, *result, constant);
}

Result<const Type*> EvaluatorWalk::common_c_type(const Tree& tree, const Datum& left,
                                                 const Datum& right) {
  const Type* a = plain(left.type);
  const Type* b = plain(right.type);
  if (a->kind() == TypeKind::pointer || b->kind() == TypeKind::pointer)
    return a->kind() == TypeKind::pointer ? a : b;
  if (!is_arithmetic(a) || !is_arithmetic(b)) {
    if (same_type(a, b)) return a;
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
  const bool a = left.kind == Kind::value, b = right.kind == Kind::value;
  if (left.kind == Kind::type || right.kind == Kind::type)
    return fail(tree, ErrorCode::malformed_data, "a type is no value");
  if (!a && !b) {
    const bool numbers = left.kind == Kind::number && right.kind == Kind::number;
    if (numbers) return static_cast<const Type*>(nullptr);
    return fail(tree, ErrorCode::malformed_data,
                "\"" + tree.text + "\" does not take these two constants");
  }
  if (a != b) return type_with_constant(tree, (a ? left : right).datum, a ? right : left);
  const Type *x = left.datum.type, *y = right.datum.type;
  if (!plain(x)->is_go() || !plain(y)->is_go()) return common_c_type(tree, left.datum, right.datum);
  if (same_type(x, y)) return x;
  return fail(tree, ErrorCode::malformed_data,
              "mismatched types " + format_type(*x) + " and " + format_type(*y));
}

/// A constant takes the type of the other side, if that has numbers.
Result<const Type*> EvaluatorWalk::type_with_constant(const Tree& tree, const Datum& value,
                                                      const Operand& constant) {
  const bool c = !plain(value.type)->is_go();
  if (constant.kind == Kind::number && !c && number_kind(value.type)) return value.type;
  if (constant.kind == Kind::number && c && number_kind(value.type) == Number::Kind::integer &&
      kind_of(value.type) == TypeKind::pointer)
    return value.type;
  if (constant.kind == Kind::number && c && is_arithmetic(value.type)) {
    // The type that C gives the constant decides too.
    if (constant.number.kind != Number::Kind::integer || kind_of(value.type) == TypeKind::floating)
      return types_.predeclared("float64");
    const bool small = representable(constant.number, types_.predeclared("int32")).has_value();
    return common_c_type(tree, value, datum_at(types_.predeclared(small ? "int32" : "int64"), {}));
  }
  return fail(
      tree, ErrorCode::malformed_data,
      "\"" + tree.text + "\" does not take " + format_type(*value.type) + " and this constant");
}

}  // namespace cgo
