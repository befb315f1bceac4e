#include <charconv>
#include <limits>

#include "values/evaluator_walk.h"

namespace cgo {

using Kind = Expression::Kind;

namespace {

/// An integer as Go writes it: "0x1f", "0b11", "0o17", "017", "12"; C's suffixes are dropped.
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

/// "1.5", "1e3", "0x1p-2".
std::optional<long double> floating_value(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  if (hexadecimal && text.find_first_of("pP") == text.npos) return std::nullopt;
  // "1e400" fits where it is wanted; what is larger than a long double does not.
  long double value = 0;
  const char* end = text.data() + text.size();
  const auto format = hexadecimal ? std::chars_format::hex : std::chars_format::general;
  const auto [stop, error] = std::from_chars(text.data(), end, value, format);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

Result<Operand> EvaluatorWalk::literal(const Tree& tree) {
  if (tree.kind == Kind::string) return Operand::of_text(tree.text);
  if (tree.kind == Kind::floating || tree.kind == Kind::imaginary) {
    const bool imaginary = tree.kind == Kind::imaginary;
    auto number = floating_value(tree.text);
    if (!number)
      if (const auto whole = integer_value(tree.text)) number = static_cast<long double>(*whole);
    if (!number) return fail(tree, ErrorCode::malformed_data, "not a number");
    return Operand::of_constant(imaginary ? Number::of_complex(0, *number)
                                          : Number::of_floating(*number));
  }
  const bool character = tree.kind == Kind::character;
  const auto number =
      character ? std::optional<std::uint64_t>(std::strtoull(tree.text.c_str(), nullptr, 10))
                : integer_value(tree.text);
  if (!number) return fail(tree, ErrorCode::malformed_data, "not a number of at most 64 bits");
  return Operand::of_constant(Number::of(static_cast<WideInteger>(*number)), character);
}

Result<Datum> EvaluatorWalk::as_value(const Tree& tree, Operand operand) {
  switch (operand.kind) {
    case Operand::Kind::value:
      return std::move(operand.datum);
    case Operand::Kind::number: {
      // An address that is written as a number needs all bits, so more than an int has.
      constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
      const bool large = operand.number.kind == Number::Kind::integer &&
                         operand.number.integer > kMost && !operand.character;
      if (large && operand.number.integer > std::numeric_limits<std::uint64_t>::max())
        return fail(tree, ErrorCode::unsupported, "the constant is too large");
      const Type* type = types_.predeclared(large ? "uint64" : default_type(operand));
      auto number = at(tree, representable(operand.number, type));
      if (!number) return std::move(number).error();
      return made_number(type, *number);
    }
    case Operand::Kind::boolean:
      return made_number(types_.predeclared("bool"), Number::of(operand.boolean));
    case Operand::Kind::text:
      return fail(tree, ErrorCode::unsupported, "a constant text is not in the program's memory");
    case Operand::Kind::nil:
      return fail(tree, ErrorCode::malformed_data, "nil alone has no type");
    case Operand::Kind::type:
      break;
  }
  return fail(tree, ErrorCode::malformed_data, "a type is no value");
}

/// The number of an operand as a value of `type` has it; a constant as it is where `type` is null.
Result<Number> EvaluatorWalk::taken_as(const Tree& tree, const Operand& operand, const Type* type) {
  auto number = at(tree, number_of(memory(), operand));
  if (!number || type == nullptr || operand.kind == Operand::Kind::value) return number;
  return at(tree, representable(*number, type));
}

}  // namespace cgo
