#pragma once

#include <cstdint>
#include <string>

#include "values/number.h"

namespace cgo {

/// What a part of an expression is worth: a value with a type, a constant without one, or a type.
/// Internal to the evaluator.
struct Operand {
  enum class Kind : std::uint8_t { value, number, boolean, text, nil, type };
  Kind kind = Kind::value;
  Datum datum;             ///< value
  bool constant = false;   ///< value: of a typed constant, "int8(3)".
  Number number;           ///< number
  bool character = false;  ///< number: an integer that came from a rune.
  bool boolean = false;
  std::string text;
  /// type; text: the type of strings that it was converted to, else null.
  const Type* type = nullptr;

  bool is_constant() const { return constant || (kind != Kind::value && kind != Kind::type); }
  bool is_value(TypeKind wanted) const {
    return kind == Kind::value && kind_of(datum.type) == wanted;
  }

  static Operand of(Datum datum) { return {.kind = Kind::value, .datum = std::move(datum)}; }
  static Operand of_constant(const Number& number, bool character = false) {
    return {.kind = Kind::number, .number = number, .character = character};
  }
  static Operand of_truth(bool value) { return {.kind = Kind::boolean, .boolean = value}; }
  static Operand of_text(std::string text, const Type* type = nullptr) {
    return {.kind = Kind::text, .text = std::move(text), .type = type};
  }
};

/// The number a value or an untyped constant is; unsupported for what is none.
inline Result<Number> number_of(const MemoryReader& memory, const Operand& operand) {
  if (operand.kind == Operand::Kind::number) return operand.number;
  if (operand.kind == Operand::Kind::value) return load_number(memory, operand.datum);
  return Error{ErrorCode::unsupported, "a number is expected"};
}

/// The name of the type that an untyped constant has by itself: "int"; "" for nil.
inline std::string_view default_type(const Operand& constant) {
  if (constant.kind == Operand::Kind::boolean) return "bool";
  if (constant.kind == Operand::Kind::text) return "string";
  if (constant.kind != Operand::Kind::number) return {};
  if (constant.number.kind == Number::Kind::complex) return "complex128";
  if (constant.number.kind == Number::Kind::floating) return "float64";
  return constant.character ? "rune" : "int";
}

}  // namespace cgo
