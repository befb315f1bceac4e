#include "values/operand.h"

#include <cmath>
#include <cstring>

#include "target/byte_view.h"

namespace cgo {
namespace {

Error no_number(const Datum& datum) {
  return {ErrorCode::unsupported, format_type(*datum.type) + " is no type of numbers"};
}

Result<Number> floating_number(const MemoryReader& memory, const Datum& datum) {
  auto bytes = load_all(memory, datum);
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() == 4) return Number{.is_floating = true, .floating = *load<float>(*bytes, 0)};
  if (bytes->size() == 8) return Number{.is_floating = true, .floating = *load<double>(*bytes, 0)};
  return Error{ErrorCode::unsupported, "computing with " + format_type(*datum.type)};
}

Error overflow() { return {ErrorCode::unsupported, "the constant is too large"}; }

Result<Number> shifted(std::string_view sign, const Number& left, const Number& right) {
  if (left.is_floating || right.is_floating)
    return Error{ErrorCode::unsupported, "only integers are shifted"};
  if (right.integer < 0) return Error{ErrorCode::unsupported, "a negative number of places"};
  const unsigned places = right.integer > 127 ? 127 : static_cast<unsigned>(right.integer);
  if (sign == ">>") return Number{.integer = left.integer >> places};
  if (places > 64) return Number{};  // No type keeps a bit of it.
  __extension__ typedef unsigned __int128 Bits;
  return Number{.integer = static_cast<WideInteger>(static_cast<Bits>(left.integer) << places)};
}

Result<Number> computed_floating(std::string_view sign, double left, double right) {
  Number out{.is_floating = true};
  if (sign == "+")
    out.floating = left + right;
  else if (sign == "-")
    out.floating = left - right;
  else if (sign == "*")
    out.floating = left * right;
  else if (sign == "/")
    out.floating = left / right;
  else
    return Error{ErrorCode::unsupported,
                 "\"" + std::string(sign) + "\" is not for floating numbers"};
  return out;
}

}  // namespace

Result<Number> number_of(const MemoryReader& memory, const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::integer:
    case Operand::Kind::character:
      return Number{.integer = operand.integer};
    case Operand::Kind::floating:
      return Number{.is_floating = true, .floating = operand.floating};
    case Operand::Kind::value:
      break;
    case Operand::Kind::boolean:
    case Operand::Kind::text:
    case Operand::Kind::nil:
    case Operand::Kind::type:
      return Error{ErrorCode::unsupported, "a number is expected"};
  }
  const Datum& datum = operand.datum;
  const Type* type = plain(datum.type);
  switch (type->kind()) {
    case TypeKind::floating:
      return floating_number(memory, datum);
    case TypeKind::character:
    case TypeKind::signed_integer:
    case TypeKind::unsigned_integer:
    case TypeKind::enumeration:
    case TypeKind::boolean:
    case TypeKind::pointer: {
      auto bits = load_unsigned(memory, datum);
      if (!bits) return std::move(bits).error();
      if (!type->is_signed()) return Number{.integer = static_cast<WideInteger>(*bits)};
      auto value = load_signed(memory, datum);
      if (!value) return std::move(value).error();
      return Number{.integer = *value};
    }
    default:
      return no_number(datum);
  }
}

Datum made_number(const Type* type, const Number& number) {
  std::vector<std::byte> bytes(type->bytes());
  if (kind_of(type) == TypeKind::floating) {
    const double wide = number.as_floating();
    const auto narrow = static_cast<float>(wide);
    if (bytes.size() == 4) std::memcpy(bytes.data(), &narrow, 4);
    if (bytes.size() == 8) std::memcpy(bytes.data(), &wide, 8);
  } else {
    WideInteger integer = number.integer;
    if (number.is_floating) {
      const bool fits = std::isfinite(number.floating) && std::fabs(number.floating) < 1e30;
      integer = fits ? static_cast<WideInteger>(number.floating) : 0;
    }
    std::memcpy(bytes.data(), &integer, std::min(bytes.size(), sizeof integer));
  }
  return {.type = type, .address = std::nullopt, .bytes = std::move(bytes)};
}

Result<Number> compute(std::string_view sign, const Number& left, const Number& right) {
  if (sign == "<<" || sign == ">>") return shifted(sign, left, right);
  if (left.is_floating || right.is_floating)
    return computed_floating(sign, left.as_floating(), right.as_floating());
  const WideInteger a = left.integer, b = right.integer;
  Number out;
  if (sign == "+") {
    if (__builtin_add_overflow(a, b, &out.integer)) return overflow();
  } else if (sign == "-") {
    if (__builtin_sub_overflow(a, b, &out.integer)) return overflow();
  } else if (sign == "*") {
    if (__builtin_mul_overflow(a, b, &out.integer)) return overflow();
  } else if (sign == "/" || sign == "%") {
    if (b == 0) return Error{ErrorCode::unsupported, "division by zero"};
    constexpr WideInteger kOne = 1;
    if (b == -1 && a == (kOne << 126) * -2) return overflow();
    out.integer = sign == "/" ? a / b : a % b;
  } else if (sign == "&") {
    out.integer = a & b;
  } else if (sign == "|") {
    out.integer = a | b;
  } else if (sign == "^") {
    out.integer = a ^ b;
  } else if (sign == "&^") {
    out.integer = a & ~b;
  } else {
    return Error{ErrorCode::unsupported, "\"" + std::string(sign) + "\" is not for numbers"};
  }
  return out;
}

bool is_comparison(std::string_view sign) {
  return sign == "==" || sign == "!=" || sign == "<" || sign == "<=" || sign == ">" || sign == ">=";
}

bool compare(std::string_view sign, int order) {
  if (sign == "==") return order == 0;
  if (sign == "!=") return order != 0;
  if (sign == "<") return order < 0;
  if (sign == "<=") return order <= 0;
  if (sign == ">") return order > 0;
  return order >= 0;
}

}  // namespace cgo
