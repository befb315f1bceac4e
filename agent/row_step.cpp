#include "agent/row_step.h"

#include "agent/byte_cursor.h"

namespace cgo::agent {

bool RowStep::push(std::uint64_t value) {
  if (count_ == kMostValues) return false;
  values_[count_++] = value;
  return true;
}

bool RowStep::register_value(unsigned number, std::uint64_t& value) {
  if (number == kDwarfSp)
    value = walk_.sp_;
  else if (number == kDwarfPc)
    value = walk_.pc_;
  else if (number == kDwarfBp && walk_.bp_known_) {
    value = walk_.bp_;
    walk_.use_bp();
  } else
    return false;
  return true;
}

bool RowStep::binary(std::uint8_t code) {
  if (count_ < 2) return false;
  const std::uint64_t right = values_[--count_];
  std::uint64_t& left = values_[count_ - 1];
  switch (code) {
    case 0x1a:
      left &= right;
      return true;
    case 0x1c:
      left -= right;
      return true;
    case 0x21:
      left |= right;
      return true;
    case 0x22:
      left += right;
      return true;
    case 0x24:
      left = right < 64 ? left << right : 0;
      return true;
    case 0x2a:
      left = static_cast<std::int64_t>(left) >= static_cast<std::int64_t>(right);
      return true;
    default:
      return false;
  }
}

/// Those that C libraries and compilers write into .eh_frame on amd64.
bool RowStep::operation(std::uint8_t code, ByteCursor& cursor) {
  if (code >= 0x30 && code <= 0x4f) return push(code - 0x30u);
  if (code >= 0x70 && code <= 0x8f) {
    std::uint64_t value;
    const auto offset = static_cast<std::uint64_t>(cursor.sleb());
    return register_value(code - 0x70u, value) && push(value + offset);
  }
  switch (code) {
    case 0x06:
      return count_ > 0 && walk_.load(values_[count_ - 1], values_[count_ - 1]);
    case 0x08:
      return push(cursor.fixed<std::uint8_t>());
    case 0x09:
      return push(static_cast<std::uint64_t>(std::int64_t{cursor.fixed<std::int8_t>()}));
    case 0x0a:
      return push(cursor.fixed<std::uint16_t>());
    case 0x0b:
      return push(static_cast<std::uint64_t>(std::int64_t{cursor.fixed<std::int16_t>()}));
    case 0x10:
      return push(cursor.uleb());
    case 0x11:
      return push(static_cast<std::uint64_t>(cursor.sleb()));
    case 0x12:
      return count_ > 0 && push(values_[count_ - 1]);
    case 0x23:
      if (count_ == 0) return false;
      values_[count_ - 1] += cursor.uleb();
      return true;
    default:
      return binary(code);
  }
}

bool RowStep::evaluate(Bytes expression, bool with_cfa, std::uint64_t cfa, std::uint64_t& result) {
  count_ = 0;
  if (with_cfa) push(cfa);
  ByteCursor cursor(expression.begin, expression.begin + expression.count);
  while (cursor.more())
    if (!operation(cursor.fixed<std::uint8_t>(), cursor)) return false;
  if (!cursor.ok() || count_ == 0) return false;
  result = values_[count_ - 1];
  return true;
}

bool RowStep::cfa_of(const UnwindRow& row, std::uint64_t& cfa) {
  if (row.cfa_by_expression) return evaluate(row.cfa_expression, false, 0, cfa);
  if (!register_value(row.cfa_register, cfa)) return false;
  cfa += static_cast<std::uint64_t>(row.cfa_offset);
  return true;
}

/// `at` is where the value lies, 0 when in no word of memory.
bool RowStep::value_of(const ValueRule& rule, std::uint64_t cfa, std::uint64_t& value,
                       std::uint64_t& at) {
  using Kind = ValueRule::Kind;
  const std::uint64_t there = cfa + static_cast<std::uint64_t>(rule.value);
  at = 0;
  switch (rule.kind) {
    case Kind::offset:
      at = there;
      return walk_.load(at, value);
    case Kind::expression:
      return evaluate(rule.expression, true, cfa, at) && walk_.load(at, value);
    case Kind::val_offset:
      value = there;
      return true;
    case Kind::val_expression:
      return evaluate(rule.expression, true, cfa, value);
    default:
      return false;
  }
}

bool RowStep::apply(const UnwindRow& row) {
  std::uint64_t cfa, pc, sp, bp, at;
  walk_.end_ = StackEnd::no_rule;  // Unless a load says otherwise.
  if (!cfa_of(row, cfa)) return false;
  sp = cfa;
  if (!row.sp_is_cfa && !value_of(row.sp, cfa, sp, at)) return false;
  if (!value_of(row.pc, cfa, pc, at)) return false;
  if (row.bp.kind == ValueRule::Kind::undefined) {
    walk_.bp_known_ = false;
  } else if (row.bp.kind != ValueRule::Kind::same) {
    if (!value_of(row.bp, cfa, bp, at)) return false;
    walk_.bp_ = bp;
    walk_.bp_at_ = at;
    walk_.bp_known_ = true;
    if (at == 0) walk_.repeatable_ = false;
  }
  // A signal may have been handled on another stack.
  if (!row.signal_frame && !walk_.move_to(sp)) return false;
  walk_.sp_ = sp;
  walk_.pc_ = pc;
  walk_.exact_ = row.signal_frame;
  walk_.end_ = StackEnd::unknown;
  return true;
}

}  // namespace cgo::agent
