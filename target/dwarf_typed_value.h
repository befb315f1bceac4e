#pragma once

#include "target/dwarf_unit.h"
#include "target/result.h"

namespace cgo {

/// An element of an expression's stack. Without a type of its own it is an unsigned integer of the
/// size of an address. Source: DWARF 5, section 2.5.1.
struct DwarfTypedValue {
  enum class Kind : std::uint8_t { generic, signed_integer, unsigned_integer, floating };
  std::uint64_t bits = 0;  ///< Integers of fewer bytes are kept extended by their sign or zeros.
  Kind kind = Kind::generic;
  std::uint8_t bytes = 8;

  bool is_signed() const { return kind == Kind::signed_integer; }
  std::int64_t as_signed() const { return static_cast<std::int64_t>(bits); }
  double as_float() const;

  friend bool operator==(const DwarfTypedValue&, const DwarfTypedValue&) = default;
};

/// What kind of values a base type has; `offset` is of its entry in `unit`, 0 the generic type.
/// unsupported for those of more than 8 bytes.
Result<DwarfTypedValue> typed_zero(const DwarfUnit* unit, std::uint64_t offset);

/// `bits` as a value of `type`: extended, and cut to its size.
DwarfTypedValue typed_value(const DwarfTypedValue& type, std::uint64_t bits);

/// DW_OP_convert: the same number in another type.
DwarfTypedValue converted(const DwarfTypedValue& value, const DwarfTypedValue& type);

/// An operation with two operands of one type; `a` was pushed first. malformed_data for a division
/// by zero and for operands whose types differ.
Result<DwarfTypedValue> binary_operation(std::uint8_t operation, const DwarfTypedValue& a,
                                         const DwarfTypedValue& b);

/// DW_OP_abs, neg, not.
Result<DwarfTypedValue> unary_operation(std::uint8_t operation, const DwarfTypedValue& a);

}  // namespace cgo
