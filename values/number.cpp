#include "values/number.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "target/byte_view.h"

namespace cgo {
namespace {

using Kind = Number::Kind;

Error unsupported(std::string message) { return {ErrorCode::unsupported, std::move(message)}; }
Error too_large() { return unsupported("the constant is too large"); }

long double floating_part(const std::vector<std::byte>& bytes, std::size_t at, std::size_t size) {
  if (size == 4) return *load<float>(bytes, at);
  return *load<double>(bytes, at);
}

/// The parts of a floating or complex number, whose size a caller has checked.
Number floating_number(const std::vector<std::byte>& bytes, bool complex) {
  if (!complex) return Number::of_floating(floating_part(bytes, 0, bytes.size()));
  const std::size_t half = bytes.size() / 2;
  return Number::of_complex(floating_part(bytes, 0, half), floating_part(bytes, half, half));
}

/// Bytes of one floating part of the type.
std::uint64_t part_bytes(const Type* type) {
  return plain(type)->kind() == TypeKind::complex ? type->bytes() / 2 : type->bytes();
}

long double rounded(long double value, std::uint64_t bytes) {
  return bytes == 4 ? static_cast<float>(value) : static_cast<double>(value);
}

Number rounded(Number number, const Type* type) {
  number.real = rounded(number.real, part_bytes(type));
  number.imaginary = rounded(number.imaginary, part_bytes(type));
  return number;
}

/// Whether an integer lies in the range of an integer type of at most 8 bytes.
bool fits(WideInteger value, const Type* type) {
  const std::uint64_t bits = type->bytes() * 8;
  if (bits == 0 || bits > 64) return false;
  constexpr WideInteger kOne = 1;
  if (plain(type)->is_signed()) return value >= -(kOne << (bits - 1)) && value < kOne << (bits - 1);
  return value >= 0 && value < kOne << bits;
}

/// `Part` is the type that the machine computes with: what two doubles give is rounded once.
template <class Part>
Result<Number> compute_floating(std::string_view sign, const Number& left, const Number& right) {
  const auto a = static_cast<Part>(left.real), b = static_cast<Part>(right.real);
  if (sign == "+") return Number::of_floating(a + b);
  if (sign == "-") return Number::of_floating(a - b);
  if (sign == "*") return Number::of_floating(a * b);
  if (sign == "/") return Number::of_floating(a / b);
  return unsupported("\"" + std::string(sign) + "\" is not for floating numbers");
}

/// Source: src/runtime/complex.go, complex128div (Smith's algorithm 116).
template <class Part>
Result<Number> divided(Part a, Part b, Part c, Part d) {
  Part real = 0, imaginary = 0;
  if (std::fabs(c) >= std::fabs(d)) {
    const Part ratio = d / c, below = c + ratio * d;
    real = (a + b * ratio) / below;
    imaginary = (b - a * ratio) / below;
  } else {
    const Part ratio = c / d, below = d + ratio * c;
    real = (a * ratio + b) / below;
    imaginary = (b * ratio - a) / below;
  }
  if (std::isnan(real) || std::isnan(imaginary))
    return unsupported("this division has infinite or undefined parts");
  return Number::of_complex(real, imaginary);
}

template <class Part>
Result<Number> compute_complex(std::string_view sign, const Number& left, const Number& right) {
  const auto a = static_cast<Part>(left.real), b = static_cast<Part>(left.imaginary);
  const auto c = static_cast<Part>(right.real), d = static_cast<Part>(right.imaginary);
  if (sign == "+") return Number::of_complex(a + c, b + d);
  if (sign == "-") return Number::of_complex(a - c, b - d);
  if (sign == "*") {
    const Part ac = a * c, bd = b * d, ad = a * d, bc = b * c;
    return Number::of_complex(ac - bd, ad + bc);
  }
  if (sign == "/") return divided<Part>(a, b, c, d);
  return unsupported("\"" + std::string(sign) + "\" is not for complex numbers");
}

Result<Number> divide(std::string_view sign, WideInteger a, WideInteger b) {
  if (b == 0) return unsupported("division by zero");
  if (b == -1) return sign == "/" ? compute_constant("-", {}, Number::of(a)) : Number{};
  return Number::of(sign == "/" ? a / b : a % b);
}

Result<Number> compute_integers(std::string_view sign, WideInteger a, WideInteger b, bool wraps) {
  __extension__ typedef unsigned __int128 Bits;
  WideInteger out = 0;
  bool over = false;
  if (sign == "+")
    over = __builtin_add_overflow(a, b, &out);
  else if (sign == "-")
    over = __builtin_sub_overflow(a, b, &out);
  else if (sign == "*")
    over = __builtin_mul_overflow(a, b, &out);
  else if (sign == "/" || sign == "%")
    return divide(sign, a, b);
  else if (sign == "&")
    out = a & b;
  else if (sign == "|")
    out = a | b;
  else if (sign == "^")
    out = a ^ b;
  else if (sign == "&^")
    out = a & ~b;
  else
    return unsupported("\"" + std::string(sign) + "\" is not for numbers");
  // Only a product of two uint64 has more bits; what wraps keeps the low ones.
  if (over && wraps) return Number::of(static_cast<WideInteger>(Bits(a) * Bits(b)));
  if (over) return too_large();
  return Number::of(out);
}

}  // namespace

Number Number::as(Kind wanted) const {
  if (wanted == kind) return *this;
  if (wanted == Kind::complex) return of_complex(as_floating(), 0);
  if (wanted == Kind::floating) return of_floating(as_floating());
  return of(whole().value_or(0));
}

bool Number::is_zero() const {
  return kind == Kind::integer ? integer == 0 : real == 0 && imaginary == 0;
}

std::optional<WideInteger> Number::whole() const {
  if (kind == Kind::integer) return integer;
  constexpr long double kMost = 0x1p126L;
  if (imaginary != 0 || !(std::fabs(real) < kMost) || std::trunc(real) != real) return std::nullopt;
  return static_cast<WideInteger>(real);
}

std::optional<Kind> number_kind(const Type* type) {
  switch (kind_of(type)) {
    case TypeKind::floating:
      return Kind::floating;
    case TypeKind::complex:
      return Kind::complex;
    case TypeKind::character:
    case TypeKind::signed_integer:
    case TypeKind::unsigned_integer:
    case TypeKind::enumeration:
    case TypeKind::pointer:
      return Kind::integer;
    default:
      return std::nullopt;
  }
}

Result<Number> load_number(const MemoryReader& memory, const Datum& datum) {
  const Type* type = plain(datum.type);
  const bool truth = type->kind() == TypeKind::boolean;
  const auto kind = number_kind(type);
  if (!kind && !truth) return unsupported(format_type(*datum.type) + " is no type of numbers");
  if (kind == Kind::floating || kind == Kind::complex) {
    if (part_bytes(type) != 4 && part_bytes(type) != 8)
      return unsupported("computing with " + format_type(*datum.type));
    auto bytes = load_all(memory, datum);
    if (!bytes) return std::move(bytes).error();
    return floating_number(*bytes, *kind == Kind::complex);
  }
  auto bits = load_unsigned(memory, datum);
  if (!bits) return std::move(bits).error();
  if (!type->is_signed()) return Number::of(static_cast<WideInteger>(*bits));
  auto value = load_signed(memory, datum);
  if (!value) return std::move(value).error();
  return Number::of(*value);
}

Datum made_number(const Type* type, const Number& number) {
  std::vector<std::byte> bytes(type->bytes());
  const auto put = [&](long double value, std::size_t at, std::size_t size) {
    const auto wide = static_cast<double>(value);
    const auto narrow = static_cast<float>(value);
    if (size == 4) std::memcpy(bytes.data() + at, &narrow, 4);
    if (size == 8) std::memcpy(bytes.data() + at, &wide, 8);
  };
  const TypeKind kind = kind_of(type);
  if (kind == TypeKind::complex) {
    put(number.real, 0, bytes.size() / 2);
    put(number.imaginary, bytes.size() / 2, bytes.size() / 2);
  } else if (kind == TypeKind::floating) {
    put(number.real, 0, bytes.size());
  } else if (!bytes.empty()) {
    std::memcpy(bytes.data(), &number.integer, std::min(bytes.size(), sizeof number.integer));
  }
  return {.type = type, .address = std::nullopt, .bytes = std::move(bytes)};
}

Result<Number> representable(const Number& constant, const Type* type) {
  const auto kind = number_kind(type);
  const std::string name = format_type(*type);
  if (!kind) return unsupported(name + " is no type of numbers");
  if (*kind == Kind::integer) {
    const auto whole = constant.whole();
    if (!whole) return unsupported("the constant is not whole, as " + name + " is");
    if (!fits(*whole, type)) return unsupported("the constant does not fit " + name);
    return Number::of(*whole);
  }
  if (*kind == Kind::floating && constant.imaginary != 0)
    return unsupported("the constant has an imaginary part, " + name + " has none");
  if (part_bytes(type) != 4 && part_bytes(type) != 8) return unsupported("computing with " + name);
  Number out = rounded(constant.as(*kind), type);
  if (std::isinf(out.real) || std::isinf(out.imaginary))
    return unsupported("the constant does not fit " + name);
  // Constants have no negative zero.
  if (out.real == 0) out.real = 0;
  if (out.imaginary == 0) out.imaginary = 0;
  return out;
}

Result<Number> converted(const Number& value, const Type* type) {
  const auto kind = number_kind(type);
  const std::string name = format_type(*type);
  if (!kind) return unsupported(name + " is no type of numbers");
  const bool from_complex = value.kind == Kind::complex, to_complex = *kind == Kind::complex;
  if (from_complex != to_complex)
    return unsupported("complex numbers are not converted from or to others");
  if (*kind != Kind::integer) {
    if (part_bytes(type) != 4 && part_bytes(type) != 8)
      return unsupported("computing with " + name);
    return rounded(value.as(*kind), type);
  }
  if (value.kind == Kind::integer) return value;
  const auto whole = Number::of_floating(std::trunc(value.real)).whole();
  if (!whole || !fits(*whole, type))
    return unsupported("the number is out of the range of " + name +
                       ": what becomes of it depends on the machine");
  return Number::of(*whole);
}

Result<Number> compute_constant(std::string_view sign, Number left, Number right) {
  const Kind kind = std::max(left.kind, right.kind);
  if (sign == "/" && right.is_zero()) return unsupported("division by zero");
  if (kind == Kind::integer) return compute_integers(sign, left.integer, right.integer, false);
  left = left.as(kind);
  right = right.as(kind);
  auto out = kind == Kind::floating ? compute_floating<long double>(sign, left, right)
                                    : compute_complex<long double>(sign, left, right);
  if (!out) return out;
  if (!std::isfinite(out->real) || !std::isfinite(out->imaginary)) return too_large();
  return out;
}

Result<Number> compute_typed(std::string_view sign, const Type* type, const Number& left,
                             const Number& right) {
  const auto kind = number_kind(type);
  if (kind == Kind::integer) return compute_integers(sign, left.integer, right.integer, true);
  // Source: src/cmd/compile/internal/ssagen/ssa.go: complex64 is multiplied and divided as
  // complex128. Of float32, one rounding of what two doubles give is the same.
  auto out = kind == Kind::floating ? compute_floating<double>(sign, left, right)
                                    : compute_complex<double>(sign, left, right);
  if (!out) return out;
  return rounded(*out, type);
}

Result<Number> shift(std::string_view sign, WideInteger value, WideInteger places, bool constant) {
  __extension__ typedef unsigned __int128 Bits;
  if (places < 0) return unsupported("a negative number of places");
  const unsigned count = places > 127 ? 127 : static_cast<unsigned>(places);
  if (sign == ">>") return Number::of(value >> count);
  const auto moved = static_cast<WideInteger>(static_cast<Bits>(value) << count);
  if (constant && (places > 126 || moved >> count != value)) return too_large();
  if (!constant && count > 64) return Number{};  // No type keeps a bit of it.
  return Number::of(moved);
}

std::optional<bool> compare_numbers(std::string_view sign, const Number& left,
                                    const Number& right) {
  const Kind kind = std::max(left.kind, right.kind);
  if (kind == Kind::integer)
    return compare(sign, left.integer < right.integer ? -1 : left.integer > right.integer ? 1 : 0);
  const Number a = left.as(kind), b = right.as(kind);
  if (kind == Kind::complex) {
    if (sign != "==" && sign != "!=") return std::nullopt;
    return (a.real == b.real && a.imaginary == b.imaginary) == (sign == "==");
  }
  if (std::isnan(a.real) || std::isnan(b.real)) return sign == "!=";
  return compare(sign, a.real < b.real ? -1 : a.real > b.real ? 1 : 0);
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
