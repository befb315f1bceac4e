#pragma once
// The unwind rules of C code: .eh_frame, as far as a stack pointer, a frame pointer and return
// addresses need it.

#include <cstdint>

#include "agent/loaded_code.h"

namespace cgo::agent {

/// How one value of the caller is found.
struct ValueRule {
  enum class Kind : std::uint8_t {
    same,
    undefined,
    offset,      ///< In memory at the CFA + value.
    val_offset,  ///< The CFA + value.
    expression,  ///< In memory at the address that the expression gives.
    val_expression,
    other,  ///< In a register that is not followed.
  };
  Kind kind = Kind::same;
  std::int64_t value = 0;
  Bytes expression;
};

inline constexpr unsigned kDwarfBp = 6, kDwarfSp = 7, kDwarfPc = 16;

/// The rules at one pc.
struct UnwindRow {
  bool cfa_by_expression = false;
  unsigned cfa_register = kDwarfSp;
  std::int64_t cfa_offset = 0;
  Bytes cfa_expression;
  ValueRule bp, sp, pc;
  bool sp_is_cfa = true;
  bool signal_frame = false;
};

/// The rules of the instruction at `pc` of `file`; false when it has none that are understood.
bool unwind_row_at(const LoadedFile& file, std::uint64_t pc, UnwindRow& row);

}  // namespace cgo::agent
