#pragma once

#include <cstdint>
#include <string>

#include "values/datum.h"

namespace cgo {

__extension__ typedef __int128 WideInteger;

/// What a part of an expression is worth: a value with a type, a constant without one, or a type.
/// Internal to the evaluator.
struct Operand {
  enum class Kind : std::uint8_t { value, integer, character, floating, boolean, text, nil, type };
  Kind kind = Kind::value;
  Datum datum;              ///< value
  WideInteger integer = 0;  ///< integer, character
  double floating = 0;
  bool boolean = false;
  std::string text;
  const Type* type = nullptr;  ///< type

  bool is_constant() const { return kind != Kind::value && kind != Kind::type; }
  static Operand of(Datum datum) { return {.kind = Kind::value, .datum = std::move(datum)}; }
};

/// A number taken out of an operand, to compute with.
struct Number {
  bool is_floating = false;
  WideInteger integer = 0;
  double floating = 0;
  double as_floating() const { return is_floating ? floating : static_cast<double>(integer); }
};

/// The number a value or constant is; unsupported for what is none.
Result<Number> number_of(const MemoryReader& memory, const Operand& operand);
/// A value of a numeric, boolean or pointer type with this number, as far as its bits go.
Datum made_number(const Type* type, const Number& number);

/// Applies an operator to two numbers. `shift` counts are below 2^16.
Result<Number> compute(std::string_view sign, const Number& left, const Number& right);
/// Applies a comparison to what `<=>` gave.
bool compare(std::string_view sign, int order);
bool is_comparison(std::string_view sign);

}  // namespace cgo
