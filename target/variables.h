#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/byte_view.h"
#include "target/language.h"
#include "target/memory_reader.h"
#include "target/registers.h"
#include "target/type.h"

namespace cgo {

struct DwarfUnit;

/// An expression of DWARF with what is needed to understand it. Lives as long as the DwarfInfo that
/// gave it.
struct DwarfExpression {
  ByteView code;
  const DwarfUnit* unit = nullptr;  ///< For indexed addresses and typed operations.

  bool empty() const { return code.empty(); }
};

/// A variable or parameter in scope at a pc.
struct Variable {
  std::string_view name;       ///< As debug information has it: Go's "&x" for one that escaped.
  const Type* type = nullptr;  ///< Null when it has none, or when `error` says why.
  bool parameter = false;
  bool result = false;  ///< A result parameter of a Go function.
  std::uint32_t declared_line = 0;
  unsigned depth = 0;  ///< Of its lexical block; an inner one of the same name shadows the outer.
  std::optional<std::uint64_t> closure_offset;  ///< DW_AT_go_closure_offset.
  /// Valid at the pc; empty: not there at this pc («optimized out»).
  DwarfExpression location;
  bool constant = false;         ///< DW_AT_const_value: it is nowhere, but known:
  std::vector<std::byte> value;  ///< its bytes, at least as many as an integer type has.
  std::optional<Error> error;    ///< What of the type or location could not be read.
};

/// The variables of one source-level frame; scopes_at gives them in the order of frames_at.
struct Scope {
  /// Parameters first, in the order of declaration; then locals, those of the innermost block
  /// first.
  std::vector<Variable> variables;
  DwarfExpression frame_base;  ///< DW_AT_frame_base of the function that has the code.
  Language language = Language::unknown;
  Address entry;  ///< File address of the function that has the code.
};

/// A variable of a package, file or namespace.
struct GlobalVariable {
  std::string name;       ///< "main.counter", "ns::value", "f()::seen": qualified.
  std::string_view unit;  ///< Source file (C, C++) or package (Go) of the unit it is defined in.
  Language language = Language::unknown;
  Variable variable;
};

/// One value that a call passes on, as the caller knows it.
struct CallSiteParameter {
  DwarfExpression location;  ///< Where the callee has it on entry: a register, or its CFA's memory.
  DwarfExpression value;     ///< In terms of the caller's registers at the call.
};

/// What is known of one call.
struct CallSite {
  std::vector<CallSiteParameter> parameters;
  std::vector<Address> targets;  ///< File addresses of what is called, where it is named.
  DwarfExpression target;        ///< Computes it from the caller's registers, where it is not.
};

/// A part of a value: some bytes of it are in memory, in a register, given by the expression
/// itself, or nowhere.
struct LocationPiece {
  enum class Kind : std::uint8_t { memory, reg, value, absent } kind = Kind::absent;
  std::uint64_t bytes = 0;  ///< 0: the whole value.
  /// From DW_OP_bit_piece: the piece has `bit_size` bits, `bit_offset` bits into its place; `bytes`
  /// is then what they are rounded up.
  std::uint32_t bit_offset = 0, bit_size = 0;
  Address address;   ///< memory: a run-time address.
  unsigned reg = 0;  ///< DWARF number.
  std::vector<std::byte> value;
  std::string why;  ///< absent: the reason, for people.
};

/// What a location expression needs of the frame. Functions return errors, never guesses.
struct ExpressionContext {
  const MemoryReader* memory = nullptr;
  /// As recovered for the frame: some are absent, and an operand in one fails with what is missing.
  const Registers* registers = nullptr;
  std::optional<Address> cfa;  ///< DW_OP_call_frame_cfa.
  DwarfExpression frame_base;
  std::uint64_t bias = 0;  ///< Added to DW_OP_addr.
  /// DW_OP_entry_value; may be empty: unknown.
  std::function<Result<std::uint64_t>(const DwarfExpression& expression)> entry_value;
};

/// Evaluates a location expression; bounded in steps and stack. An empty one gives one absent
/// piece.
Result<std::vector<LocationPiece>> evaluate_location(const DwarfExpression& expression,
                                                     const ExpressionContext& context);

/// Where `variable` is: its location evaluated, its constant value, or its error.
Result<std::vector<LocationPiece>> locate(const Variable& variable,
                                          const ExpressionContext& context);

/// Evaluates an expression whose result is a number, such as a call site's value.
Result<std::uint64_t> evaluate_number(const DwarfExpression& expression,
                                      const ExpressionContext& context);

/// The bytes of a value put together from its pieces.
struct ValueBytes {
  struct Hole {
    std::uint64_t offset = 0, bytes = 0;
    Error why;
    /// Bits that are known all the same: low ones of the first byte, high ones of the last.
    unsigned low_bits = 0, high_bits = 0;
  };
  std::vector<std::byte> bytes;  ///< Zero where there is a hole.
  std::vector<Hole> holes;       ///< By rising offset; empty when all of it is known.
  /// Where it is, when all of it is in memory in one piece.
  std::optional<Address> address;
};

/// Reads `bytes` bytes of a value (at most `limit`) from where its pieces are. A part that cannot
/// be read is a hole with the reason: a register that is not known in this frame, memory that
/// cannot be read.
Result<ValueBytes> read_pieces(std::span<const LocationPiece> pieces, std::uint64_t bytes,
                               const ExpressionContext& context, std::uint64_t limit = 1u << 20);

/// "rax", "r12", "xmm0": the name of a DWARF register number of this architecture.
std::string register_name(const ArchInfo& arch, unsigned reg);

}  // namespace cgo
