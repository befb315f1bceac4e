#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "target/address.h"
#include "target/byte_view.h"

namespace cgo {

/// What crossings need to know of one instruction of amd64 code.
struct Instruction {
  enum class Kind : std::uint8_t {
    other,
    call,    ///< Direct: `target` is called.
    jump,    ///< Direct: goes to `target`, perhaps under a condition.
    slot,    ///< A call or jump to where the word at `target` points.
    load,    ///< `to` = the 8 bytes at `target`.
    follow,  ///< `to` = the 8 bytes that register `from` points at.
  };
  Address at;
  std::uint32_t bytes = 0;
  Kind kind = Kind::other;
  Address target;
  int to = -1;         ///< The general register its first operand writes, as encoded: 0 is rax.
  int from = -1;       ///< The register that is followed.
  bool calls = false;  ///< Any call, whatever tells its target.
  bool returns = false;
  bool falls_through = true;  ///< False of returns and unconditional jumps.

  Address end() const { return wrapping_add(at, bytes); }
};

/// Decodes the instructions of `code`, whose first byte is at `at`, one after the other, until
/// `visit` returns false. False when a byte sequence is no instruction, or the code ends within
/// one.
bool decode_amd64(ByteView code, Address at, const std::function<bool(const Instruction&)>& visit);

/// Whether an instruction begins at `wanted`, decoding from the first byte on.
bool begins_instruction_amd64(ByteView code, Address at, Address wanted);

}  // namespace cgo
