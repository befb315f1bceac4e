#include "values/evaluate.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "goruntime/go_channel.h"
#include "goruntime/go_map.h"
#include "goruntime/type_descriptor.h"
#include "target/byte_view.h"
#include "values/evaluator_walk.h"

namespace cgo {
namespace {

using Kind = Expression::Kind;

Operand integer(WideInteger value) { return {.kind = Operand::Kind::integer, .integer = value}; }

bool is_numeric(const Type* type) {
  switch (kind_of(type)) {
    case TypeKind::character:
    case TypeKind::signed_integer:
    case TypeKind::unsigned_integer:
    case TypeKind::floating:
    case TypeKind::enumeration:
      return true;
    default:
      return false;
  }
}

/// A Go integer literal: "0x1f", "0b11", "0o17", "017", "12"; C's suffixes are dropped.
std::optional<std::uint64_t> integer_value(std::string_view text) {
  while (!text.empty() &&
         (text.back() == 'u' || text.back() == 'U' || text.back() == 'l' || text.back() == 'L'))
    text.remove_suffix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char second = text[1];
    base = second == 'x' || second == 'X' ? 16 : second == 'b' || second == 'B' ? 2 : 8;
    text.remove_prefix(second >= '0' && second <= '9' ? 1 : 2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

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

Result<Datum> EvaluatorWalk::value(const Tree& tree) {
  auto found = operand(tree);
  if (!found) return std::move(found).error();
  return as_value(tree, *std::move(found));
}

Result<Datum> EvaluatorWalk::as_value(const Tree& tree, Operand operand) {
  const auto number = [&](const char* type) -> Result<Datum> {
    auto taken = number_of(memory(), operand);
    if (!taken) return std::move(taken).error();
    return made_number(types_.predeclared(type), *taken);
  };
  switch (operand.kind) {
    case Operand::Kind::value:
      return std::move(operand.datum);
    case Operand::Kind::integer: {
      constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
      if (operand.integer > kMost && operand.integer <= std::numeric_limits<std::uint64_t>::max())
        return number("uint64");
      if (operand.integer > kMost || operand.integer < std::numeric_limits<std::int64_t>::min())
        return fail(tree, ErrorCode::unsupported, "the constant is too large for an int");
      return number("int");
    }
    case Operand::Kind::character:
      return number("rune");
    case Operand::Kind::floating:
      return number("float64");
    case Operand::Kind::boolean:
      return made_number(types_.predeclared("bool"), Number{.integer = operand.boolean});
    case Operand::Kind::text:
      return fail(tree, ErrorCode::unsupported, "a constant text is not in the program's memory");
    case Operand::Kind::nil:
      return fail(tree, ErrorCode::malformed_data, "nil alone has no type");
    case Operand::Kind::type:
      break;
  }
  return fail(tree, ErrorCode::malformed_data, "a type is no value");
}

Result<Operand> EvaluatorWalk::literal(const Tree& tree) {
  if (tree.kind == Kind::string) return Operand{.kind = Operand::Kind::text, .text = tree.text};
  if (tree.kind == Kind::floating) {
    double number = 0;
    const char* end = tree.text.data() + tree.text.size();
    const auto [stop, error] = std::from_chars(tree.text.data(), end, number);
    if (error != std::errc() || stop != end)
      return fail(tree, ErrorCode::malformed_data, "not a number");
    return Operand{.kind = Operand::Kind::floating, .floating = number};
  }
  const auto number =
      tree.kind == Kind::character
          ? std::optional<std::uint64_t>(std::strtoull(tree.text.c_str(), nullptr, 10))
          : integer_value(tree.text);
  if (!number) return fail(tree, ErrorCode::malformed_data, "not a number of at most 64 bits");
  Operand out = integer(static_cast<WideInteger>(*number));
  if (tree.kind == Kind::character) out.kind = Operand::Kind::character;
  return out;
}

Result<Operand> EvaluatorWalk::dereference(const Tree& tree) {
  auto pointer = value(*tree.parts[0]);
  if (!pointer) return std::move(pointer).error();
  const TypeKind kind = kind_of(pointer->type);
  if (kind != TypeKind::pointer && kind != TypeKind::reference)
    return fail(tree, ErrorCode::malformed_data, format_type(*pointer->type) + " is no pointer");
  auto target = at(tree, pointee_of(memory(), *pointer));
  if (!target) return std::move(target).error();
  return Operand::of(*std::move(target));
}

Result<Operand> EvaluatorWalk::address(const Tree& tree) {
  auto target = value(*tree.parts[0]);
  if (!target) return std::move(target).error();
  if (!target->address || target->bit_size != 0)
    return fail(tree, ErrorCode::unsupported, "this value is not in memory, so has no address");
  const bool is_go = plain(target->type)->is_go();
  const std::string text = format_type(*target->type);
  const Type* type = types_.pointer_to(target->type, is_go ? "*" + text : text + " *", is_go);
  return Operand::of(made_words(type, {target->address->value}));
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
  if (kind_of(*wanted) == TypeKind::go_interface)
    return fail(tree, ErrorCode::unsupported, "only concrete types are asserted; it holds " + have);
  if ((*held)->type != *wanted && have != name)
    return fail(tree, ErrorCode::not_found, "the interface holds " + have + ", not " + name);
  return Operand::of(**std::move(held));
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
    return integer(static_cast<WideInteger>(of->text.size()));
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
  auto datum = value(*tree.parts[1]);
  if (!datum) return std::move(datum).error();
  if (kind_of(datum->type) != TypeKind::complex)
    return fail(tree, ErrorCode::malformed_data,
                format_type(*datum->type) + " is no complex number");
  const std::uint64_t half = datum->type->bytes() / 2;
  const Type* type = types_.predeclared(half == 4 ? "float32" : "float64");
  return Operand::of(part_of(*datum, type, imaginary ? half : 0));
}

Result<Operand> EvaluatorWalk::convert(const Tree& tree, const Type* type, const Operand& from) {
  const TypeKind to = kind_of(type);
  const bool pointer = to == TypeKind::pointer;
  if (from.kind == Operand::Kind::nil && (pointer || to == TypeKind::go_map))
    return Operand::of(made_words(type, {0}));
  if (from.kind == Operand::Kind::value) {
    const Type* source = plain(from.datum.type);
    const TypeKind kind = source->kind();
    const bool same_form = kind == to && source->bytes() == type->bytes() && !is_numeric(type);
    if (same_form && to != TypeKind::structure) {
      Datum datum = from.datum;
      datum.type = type;
      return Operand::of(std::move(datum));
    }
    const bool word = source->bytes() == 8 && (kind == TypeKind::pointer || is_numeric(source)) &&
                      kind != TypeKind::floating;
    if (pointer && !word)
      return fail(tree, ErrorCode::malformed_data,
                  format_type(*from.datum.type) + " cannot be made a pointer");
    const bool pointer_to_number = kind == TypeKind::pointer && is_numeric(type) &&
                                   to != TypeKind::floating && type->bytes() == 8;
    if (!pointer && !pointer_to_number && (!is_numeric(type) || !is_numeric(source)))
      return fail(tree, ErrorCode::unsupported,
                  format_type(*from.datum.type) + " is not converted to " + format_type(*type));
  } else if (from.kind == Operand::Kind::boolean && to == TypeKind::boolean) {
    return Operand::of(made_number(type, Number{.integer = from.boolean}));
  } else if (!pointer && !is_numeric(type)) {
    return fail(tree, ErrorCode::unsupported,
                "this constant is not converted to " + format_type(*type));
  }
  auto number = at(tree, number_of(memory(), from));
  if (!number) return std::move(number).error();
  return Operand::of(made_number(type, *number));
}

}  // namespace cgo
