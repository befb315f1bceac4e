#include "values/evaluate.h"

#include "goruntime/go_channel.h"
#include "goruntime/go_map.h"
#include "values/evaluator_walk.h"
#include "values/opaque_structure.h"

namespace cgo {

using Kind = Expression::Kind;

Evaluation Evaluator::evaluate(std::string_view text) {
  ParsedExpression parsed = parse_expression(text);
  if (parsed.failure) return {std::nullopt, std::move(parsed.failure)};
  return evaluate(*parsed.tree);
}

Evaluation Evaluator::evaluate(const Expression& tree) {
  return EvaluatorWalk(context_, scope_, types_).run(tree);
}

Evaluation EvaluatorWalk::run(const Expression& tree) {
  auto datum = value(tree);
  if (datum) return {*std::move(datum), std::nullopt};
  return {std::nullopt, ExpressionError{std::move(datum).error(), failed_at_.value_or(tree.at)}};
}

Error EvaluatorWalk::fail(const Tree& tree, Error error) {
  if (!failed_at_) failed_at_ = tree.mark.end > tree.mark.begin ? tree.mark : tree.at;
  return error;
}

Result<Operand> EvaluatorWalk::operand(const Tree& tree) {
  switch (tree.kind) {
    case Kind::name:
      return name(tree);
    case Kind::integer:
    case Kind::floating:
    case Kind::imaginary:
    case Kind::character:
    case Kind::string:
      return literal(tree);
    case Kind::field:
      return field(tree);
    case Kind::index:
      return index(tree);
    case Kind::slice:
      return slice(tree);
    case Kind::call:
      return call(tree);
    case Kind::assertion:
      return assertion(tree);
    case Kind::dereference:
      return dereference(tree);
    case Kind::address:
      return address(tree);
    case Kind::unary:
      return unary(tree);
    case Kind::binary:
      return binary(tree);
    case Kind::slice_type:
    case Kind::array_type:
    case Kind::map_type:
    case Kind::chan_type:
    case Kind::interface_type:
    case Kind::struct_type:
      break;
  }
  return fail(tree, ErrorCode::malformed_data, "a type is no value");
}

Result<Operand> EvaluatorWalk::referred(const Tree& tree) {
  auto found = operand(tree);
  if (!found || !found->is_value(TypeKind::reference)) return found;
  auto target = at(tree, pointee_of(memory(), found->datum));
  if (!target) return std::move(target).error();
  return Operand::of(*std::move(target));
}

Result<Datum> EvaluatorWalk::value(const Tree& tree) {
  auto found = operand(tree);
  if (!found) return std::move(found).error();
  return as_value(tree, *std::move(found));
}

Result<Operand> EvaluatorWalk::dereference(const Tree& tree) {
  auto pointer = value(*tree.parts[0]);
  if (!pointer) return std::move(pointer).error();
  const TypeKind kind = kind_of(pointer->type);
  if (kind != TypeKind::pointer && kind != TypeKind::reference)
    return fail(tree, ErrorCode::malformed_data, format_type(*pointer->type) + " is no pointer");
  auto target = at(tree, pointee_in(context_, *pointer));
  if (!target) return std::move(target).error();
  return Operand::of(*std::move(target));
}

Result<Operand> EvaluatorWalk::address(const Tree& tree) {
  auto of = referred(*tree.parts[0]);
  auto target = of ? as_value(*tree.parts[0], *std::move(of)) : std::move(of).error();
  if (!target) return std::move(target).error();
  if (!target->address || target->bit_size != 0)
    return fail(tree, ErrorCode::unsupported, "this value is not in memory, so has no address");
  const bool is_go = plain(target->type)->is_go();
  std::string text = format_type(*target->type);
  const std::size_t dimension = text.find('[');
  if (is_go)
    text.insert(0, "*");
  else if (kind_of(target->type) == TypeKind::array && dimension != text.npos)
    text.insert(dimension, "(*)");
  else
    text += " *";
  const Type* type = types_.pointer_to(target->type, std::move(text), is_go);
  return Operand::of(made_words(type, {target->address->value}));
}

Result<Operand> EvaluatorWalk::call(const Tree& tree) {
  const Tree& callee = *tree.parts[0];
  if (callee.kind == Kind::name) {
    const bool builtin = callee.text == "len" || callee.text == "cap" || callee.text == "real" ||
                         callee.text == "imag";
    if (builtin && tree.parts.size() != 2)
      return fail(tree, ErrorCode::malformed_data, callee.text + " takes one value");
    if (callee.text == "len" || callee.text == "cap") return length_of(tree, callee.text == "cap");
    if (builtin) return part_of_complex(tree, callee.text == "imag");
    if (callee.text == "complex" && tree.parts.size() == 3) return joined_complex(tree);
  }
  auto target = type(callee);
  if (!target && target.error().code == ErrorCode::unsupported) return std::move(target).error();
  if (!target) {
    failed_at_.reset();
    return fail(callee, ErrorCode::not_found,
                std::move(target).error().message + "; functions of the program are never called");
  }
  if (tree.parts.size() != 2)
    return fail(tree, ErrorCode::malformed_data, "a conversion takes one value");
  auto from = operand(*tree.parts[1]);
  if (!from) return from;
  return convert(tree, *target, *from);
}

Result<Operand> EvaluatorWalk::length_of(const Tree& tree, bool capacity) {
  auto of = operand(*tree.parts[1]);
  if (!of) return of;
  if (of->kind == Operand::Kind::text && !capacity)
    return Operand::of(made_words(types_.predeclared("int"), {of->text.size()}));
  auto datum = as_value(*tree.parts[1], *std::move(of));
  if (!datum) return std::move(datum).error();
  const Type* type = plain(datum->type);
  if (type->kind() == TypeKind::pointer) {
    auto target = type->target();
    if (target && kind_of(*target) == TypeKind::array) type = plain(*target);
  }
  const auto whole = [&](std::uint64_t value) {
    return Operand::of(made_words(types_.predeclared("int"), {value}));
  };
  const auto word = [&](std::uint64_t offset) -> Result<Operand> {
    auto loaded = at(tree, load_word(memory(), *datum, offset));
    if (!loaded) return std::move(loaded).error();
    return whole(loaded->value);
  };
  if (type->kind() == TypeKind::array && type->length()) return whole(*type->length());
  if (type->kind() == TypeKind::go_slice) return word(capacity ? 16 : 8);
  if (type->kind() == TypeKind::go_string && !capacity) return word(8);
  const bool map = type->kind() == TypeKind::go_map && !capacity;
  if (!map && type->kind() != TypeKind::go_channel)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*datum->type) + " has no " + (capacity ? "capacity" : "length"));
  auto header = at(tree, load_word(memory(), *datum));
  if (!header) return std::move(header).error();
  if (!*header) return whole(0);
  if (map) {
    auto count = at(tree, map_count(memory(), *header));
    if (!count) return std::move(count).error();
    return whole(*count);
  }
  auto channel = at(tree, decode_channel(memory(), context_.go_version(), *header));
  if (!channel) return std::move(channel).error();
  return whole(capacity ? channel->capacity : channel->count);
}

Result<Operand> EvaluatorWalk::part_of_complex(const Tree& tree, bool imaginary) {
  auto of = operand(*tree.parts[1]);
  if (!of) return of;
  if (of->kind == Operand::Kind::number)
    return Operand::of_constant(
        Number::of_floating(imaginary ? of->number.imaginary : of->number.as_floating()));
  auto datum = as_value(*tree.parts[1], *std::move(of));
  if (!datum) return std::move(datum).error();
  if (kind_of(datum->type) != TypeKind::complex)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*datum->type) + " is no complex number");
  const std::uint64_t half = datum->type->bytes() / 2;
  const Type* type = types_.predeclared(half == 4 ? "float32" : "float64");
  return Operand::of(part_of(*datum, type, imaginary ? half : 0));
}

/// complex(real, imaginary)
Result<Operand> EvaluatorWalk::joined_complex(const Tree& tree) {
  auto real = operand(*tree.parts[1]), imaginary = operand(*tree.parts[2]);
  if (!real) return real;
  if (!imaginary) return imaginary;
  auto type = common_type(tree, *real, *imaginary);
  if (!type) return std::move(type).error();
  auto a = taken_as(tree, *real, *type), b = taken_as(tree, *imaginary, *type);
  if (!a) return std::move(a).error();
  if (!b) return std::move(b).error();
  if (*type == nullptr) {
    if (a->kind == Number::Kind::complex || b->kind == Number::Kind::complex)
      return fail(tree, ErrorCode::malformed_data, "the parts of a complex number are not complex");
    return Operand::of_constant(Number::of_complex(a->as_floating(), b->as_floating()));
  }
  if (kind_of(*type) != TypeKind::floating)
    return fail(tree, ErrorCode::malformed_data,
                format_type(**type) + " is no part of a complex number");
  const Type* whole = types_.predeclared((*type)->bytes() == 4 ? "complex64" : "complex128");
  return Operand::of(made_number(whole, Number::of_complex(a->real, b->real)));
}

}  // namespace cgo
