#include "values/evaluator_walk.h"
#include "values/type_relations.h"

namespace cgo {
namespace {

bool is_nilable(TypeKind kind) {
  return kind == TypeKind::pointer || kind == TypeKind::go_map || kind == TypeKind::go_channel ||
         kind == TypeKind::go_function || kind == TypeKind::go_slice ||
         kind == TypeKind::go_interface;
}

bool is_integer(const Type* type) {
  return number_kind(type) == Number::Kind::integer && kind_of(type) != TypeKind::pointer;
}

}  // namespace

Result<Operand> EvaluatorWalk::convert(const Tree& tree, const Type* type, const Operand& from) {
  if (from.kind == Operand::Kind::type)
    return fail(tree, ErrorCode::malformed_data, "a type is no value");
  if (from.kind != Operand::Kind::value) return convert_constant(tree, type, from);
  const Type* source = from.datum.type;
  const TypeKind to = kind_of(type), kind = kind_of(source);
  if (to == TypeKind::go_interface) return convert_to_interface(tree, type, from);
  if (same_form(source, type)) {
    Operand out = from;
    out.datum.type = type;
    return out;
  }
  if (to == TypeKind::pointer) return convert_to_pointer(tree, type, from);
  if (to == TypeKind::go_string && kind == TypeKind::go_slice)
    return convert_to_text(tree, type, from.datum);
  const bool address = kind == TypeKind::pointer && is_integer(type) && type->bytes() == 8;
  const bool numbers = number_kind(type) && number_kind(source) && kind != TypeKind::pointer;
  if (!address && !numbers)
    return fail(tree, ErrorCode::unsupported,
                format_type(*source) + " is not converted to " + format_type(*type));
  auto number = at(tree, number_of(memory(), from));
  if (!number) return std::move(number).error();
  auto out = at(tree, from.constant ? representable(*number, type) : converted(*number, type));
  if (!out) return std::move(out).error();
  Operand made = Operand::of(made_number(type, *out));
  made.constant = from.constant;
  return made;
}

Result<Operand> EvaluatorWalk::convert_constant(const Tree& tree, const Type* type,
                                                const Operand& from) {
  const TypeKind to = kind_of(type);
  const auto made = [](Datum datum) {
    Operand out = Operand::of(std::move(datum));
    out.constant = true;
    return out;
  };
  switch (from.kind) {
    case Operand::Kind::nil:
      if (!is_nilable(to)) break;
      return Operand::of(
          {.type = type, .address = std::nullopt, .bytes = std::vector<std::byte>(type->bytes())});
    case Operand::Kind::boolean:
      if (to != TypeKind::boolean) break;
      return made(made_number(type, Number::of(from.boolean)));
    case Operand::Kind::text:
      if (to != TypeKind::go_string) break;
      return Operand::of_text(from.text, type);
    default: {
      if (!number_kind(type)) break;
      auto number = at(tree, representable(from.number, type));
      if (!number) return std::move(number).error();
      return made(made_number(type, *number));
    }
  }
  return fail(tree, ErrorCode::unsupported,
              "this constant is not converted to " + format_type(*type));
}

/// Addresses may be taken for pointers to anything: a debugger needs that.
Result<Operand> EvaluatorWalk::convert_to_pointer(const Tree& tree, const Type* type,
                                                  const Operand& from) {
  const Type* source = plain(from.datum.type);
  const bool word = source->bytes() == 8 && number_kind(source) == Number::Kind::integer;
  if (!word)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*from.datum.type) + " cannot be made a pointer");
  auto number = at(tree, number_of(memory(), from));
  if (!number) return std::move(number).error();
  return Operand::of(made_number(type, *number));
}

/// string([]byte): the bytes are where they were.
Result<Operand> EvaluatorWalk::convert_to_text(const Tree& tree, const Type* type,
                                               const Datum& from) {
  auto slice = at(tree, load_slice(memory(), from));
  if (!slice) return std::move(slice).error();
  if (!slice->element->is_go() || plain(slice->element)->bytes() != 1 ||
      kind_of(slice->element) != TypeKind::unsigned_integer)
    return fail(tree, ErrorCode::unsupported,
                format_type(*from.type) + " is not converted to " + format_type(*type));
  return Operand::of(made_words(type, {slice->data.value, slice->length}));
}

}  // namespace cgo
