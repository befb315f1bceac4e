#include "target/dwarf_typed_value.h"

#include <bit>
#include <cmath>
#include <limits>

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

using Kind = DwarfTypedValue::Kind;

DwarfTypedValue floating(const DwarfTypedValue& type, double number) {
  DwarfTypedValue out = type;
  out.bits = type.bytes == 4 ? std::bit_cast<std::uint32_t>(static_cast<float>(number))
                             : std::bit_cast<std::uint64_t>(number);
  return out;
}

DwarfTypedValue truth(bool value) { return {.bits = value ? 1u : 0u}; }

Error bad(std::string_view what) {
  return {ErrorCode::malformed_data, "DWARF expression: " + std::string(what)};
}

template <class Number>
std::optional<DwarfTypedValue> compare(std::uint8_t operation, Number a, Number b) {
  switch (operation) {
    case dw::OP_eq:
      return truth(a == b);
    case dw::OP_ge:
      return truth(a >= b);
    case dw::OP_gt:
      return truth(a > b);
    case dw::OP_le:
      return truth(a <= b);
    case dw::OP_lt:
      return truth(a < b);
    case dw::OP_ne:
      return truth(a != b);
    default:
      return std::nullopt;
  }
}

Result<DwarfTypedValue> float_operation(std::uint8_t operation, const DwarfTypedValue& a,
                                        const DwarfTypedValue& b) {
  const double x = a.as_float(), y = b.as_float();
  if (const auto compared = compare(operation, x, y)) return *compared;
  switch (operation) {
    case dw::OP_plus:
      return floating(a, x + y);
    case dw::OP_minus:
      return floating(a, x - y);
    case dw::OP_mul:
      return floating(a, x * y);
    case dw::OP_div:
      return floating(a, x / y);
    default:
      return bad("operation " + hex(operation) + " on floating-point numbers");
  }
}

/// Division of generic values is signed, their remainder unsigned. Source: DWARF 5, 2.5.1.4.
Result<DwarfTypedValue> divide(const DwarfTypedValue& a, const DwarfTypedValue& b) {
  if (b.bits == 0) return bad("a division by zero");
  if (a.kind == Kind::unsigned_integer) return typed_value(a, a.bits / b.bits);
  if (b.as_signed() == -1) return typed_value(a, 0 - a.bits);
  return typed_value(a, static_cast<std::uint64_t>(a.as_signed() / b.as_signed()));
}

Result<DwarfTypedValue> remainder(const DwarfTypedValue& a, const DwarfTypedValue& b) {
  if (b.bits == 0) return bad("a division by zero");
  if (!a.is_signed()) return typed_value(a, a.bits % b.bits);
  if (b.as_signed() == -1) return typed_value(a, 0);
  return typed_value(a, static_cast<std::uint64_t>(a.as_signed() % b.as_signed()));
}

DwarfTypedValue shift(std::uint8_t operation, const DwarfTypedValue& a, std::uint64_t by) {
  const unsigned width = a.bytes * 8u;
  const bool negative = a.as_signed() < 0;
  switch (operation) {
    case dw::OP_shl:
      return typed_value(a, by < width ? a.bits << by : 0);
    case dw::OP_shr: {
      const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
      return typed_value(a, by < width ? (a.bits & mask) >> by : 0);
    }
    default:
      if (by >= width) return typed_value(a, negative ? ~std::uint64_t{0} : 0);
      return typed_value(a, static_cast<std::uint64_t>(a.as_signed() >> by));
  }
}

}  // namespace

double DwarfTypedValue::as_float() const {
  if (kind != Kind::floating)
    return is_signed() || kind == Kind::generic ? static_cast<double>(as_signed())
                                                : static_cast<double>(bits);
  return bytes == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                    : std::bit_cast<double>(bits);
}

Result<DwarfTypedValue> typed_zero(const DwarfUnit* unit, std::uint64_t offset) {
  if (offset == 0) return DwarfTypedValue{};
  if (!unit || offset >= unit->header.end - unit->header.offset)
    return bad("a type lies outside of the unit");
  const DwarfPlace place{unit, unit->header.offset + offset};
  auto die = read_die(place);
  if (!die) return std::move(die).error();
  if (die->tag() != dw::TAG_base_type) return dwarf_error(place, "this is not a base type");
  std::uint64_t encoding = 0, bytes = 0;
  die->attributes([&](std::uint16_t name, const DwarfValue& value) {
    if (name == dw::AT_encoding) encoding = unit->number(value).value_or(0);
    if (name == dw::AT_byte_size) bytes = unit->number(value).value_or(0);
  });
  DwarfTypedValue out{.kind = Kind::unsigned_integer, .bytes = static_cast<std::uint8_t>(bytes)};
  if (encoding == dw::ATE_float) out.kind = Kind::floating;
  if (encoding == dw::ATE_signed || encoding == dw::ATE_signed_char)
    out.kind = Kind::signed_integer;
  const bool known = out.kind == Kind::floating
                         ? bytes == 4 || bytes == 8
                         : bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  if (!known)
    return Error{ErrorCode::unsupported,
                 "DWARF expression: values of " + std::to_string(bytes) + " bytes"};
  return out;
}

DwarfTypedValue typed_value(const DwarfTypedValue& type, std::uint64_t bits) {
  DwarfTypedValue out = type;
  const unsigned unused = 64 - type.bytes * 8u;
  out.bits = bits << unused;
  out.bits =
      type.is_signed() ? static_cast<std::uint64_t>(out.as_signed() >> unused) : out.bits >> unused;
  return out;
}

DwarfTypedValue converted(const DwarfTypedValue& value, const DwarfTypedValue& type) {
  if (type.kind == Kind::floating) {
    // The generic type is unsigned where a number is made of it.
    if (value.kind == Kind::generic) return floating(type, static_cast<double>(value.bits));
    return floating(type, value.as_float());
  }
  if (value.kind != Kind::floating) return typed_value(type, value.bits);
  const double number = value.as_float();
  // What does not fit has no defined result; casting it would not be defined here either.
  constexpr double kTwo63 = 9223372036854775808.0;
  if (!(number > -kTwo63 && number < 2 * kTwo63)) return typed_value(type, std::uint64_t{1} << 63);
  if (number < 0 || (type.is_signed() && number < kTwo63))
    return typed_value(type, static_cast<std::uint64_t>(static_cast<std::int64_t>(number)));
  return typed_value(type, static_cast<std::uint64_t>(number));
}

Result<DwarfTypedValue> binary_operation(std::uint8_t operation, const DwarfTypedValue& a,
                                         const DwarfTypedValue& b) {
  if (operation == dw::OP_shl || operation == dw::OP_shr || operation == dw::OP_shra) {
    if (a.kind == Kind::floating || b.kind == Kind::floating)
      return bad("a shift of floating-point numbers");
    return shift(operation, a, b.bits);
  }
  if (a.kind != b.kind || a.bytes != b.bytes) return bad("operands of different types");
  if (a.kind == Kind::floating) return float_operation(operation, a, b);
  // Comparisons of generic values are signed. Source: DWARF 5, section 2.5.1.5.
  const auto compared = a.kind == Kind::unsigned_integer
                            ? compare(operation, a.bits, b.bits)
                            : compare(operation, a.as_signed(), b.as_signed());
  if (compared) return *compared;
  switch (operation) {
    case dw::OP_and:
      return typed_value(a, a.bits & b.bits);
    case dw::OP_or:
      return typed_value(a, a.bits | b.bits);
    case dw::OP_xor:
      return typed_value(a, a.bits ^ b.bits);
    case dw::OP_plus:
      return typed_value(a, a.bits + b.bits);
    case dw::OP_minus:
      return typed_value(a, a.bits - b.bits);
    case dw::OP_mul:
      return typed_value(a, a.bits * b.bits);
    case dw::OP_div:
      return divide(a, b);
    case dw::OP_mod:
      return remainder(a, b);
    default:
      return bad("operation " + hex(operation) + " is not known");
  }
}

Result<DwarfTypedValue> unary_operation(std::uint8_t operation, const DwarfTypedValue& a) {
  const bool is_float = a.kind == Kind::floating;
  switch (operation) {
    case dw::OP_abs:
      if (is_float) return floating(a, std::fabs(a.as_float()));
      if (a.kind == Kind::unsigned_integer || a.as_signed() >= 0) return a;
      return typed_value(a, 0 - a.bits);
    case dw::OP_neg:
      return is_float ? floating(a, -a.as_float()) : typed_value(a, 0 - a.bits);
    default:
      if (is_float) return bad("the complement of a floating-point number");
      return typed_value(a, ~a.bits);
  }
}

}  // namespace cgo
