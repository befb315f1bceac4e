#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "values/datum.h"

namespace cgo {

__extension__ typedef __int128 WideInteger;

/// A number to compute with: a constant, or one that was taken out of a value. Constants have 127
/// bits, or 64 bits of mantissa; a value of any type fits.
struct Number {
  enum class Kind : std::uint8_t { integer, floating, complex };
  Kind kind = Kind::integer;
  WideInteger integer = 0;              ///< integer
  long double real = 0, imaginary = 0;  ///< floating has a real part only.

  static Number of(WideInteger value) { return {.integer = value}; }
  static Number of_floating(long double value) { return {.kind = Kind::floating, .real = value}; }
  static Number of_complex(long double real, long double imaginary) {
    return {.kind = Kind::complex, .real = real, .imaginary = imaginary};
  }

  long double as_floating() const {
    return kind == Kind::integer ? static_cast<long double>(integer) : real;
  }
  Number as(Kind wanted) const;
  bool is_zero() const;
  /// The integer it is, also of "2.0"; nothing when it is not whole or needs more than 127 bits.
  std::optional<WideInteger> whole() const;
};

/// What a type of numbers keeps; nothing for other types. Addresses count as integers.
std::optional<Number::Kind> number_kind(const Type* type);

/// The number a value is; unsupported for what is none.
Result<Number> load_number(const MemoryReader& memory, const Datum& datum);
/// A value of a type of numbers, boolean or pointer type: integers keep the bits that fit, floating
/// numbers are rounded. The number must be of the kind that the type keeps.
Datum made_number(const Type* type, const Number& number);

/// The constant as a value of this type has it: rounded for floating types. Fails when Go's
/// compiler would refuse it: not whole, negative, too large.
Result<Number> representable(const Number& constant, const Type* type);
/// The value of a number type converted to another one. unsupported where Go leaves the result to
/// the machine: a floating number that is too large for the integer type, or NaN.
Result<Number> converted(const Number& value, const Type* type);

/// An operator on two constants of Go: exact, or refused.
Result<Number> compute_constant(std::string_view sign, Number left, Number right);
/// An operator on two values of one type, as the program computes it; integers are not yet wrapped.
Result<Number> compute_typed(std::string_view sign, const Type* type, const Number& left,
                             const Number& right);
/// A shift of an integer. Places are 0 or more.
Result<Number> shift(std::string_view sign, WideInteger value, WideInteger places, bool constant);

/// Whether `left SIGN right` holds; nothing for the order of complex numbers.
std::optional<bool> compare_numbers(std::string_view sign, const Number& left, const Number& right);

/// Applies a comparison to what `<=>` gave.
bool compare(std::string_view sign, int order);
bool is_comparison(std::string_view sign);

}  // namespace cgo
