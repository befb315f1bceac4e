#include "crossings/accessed_memory.h"

#include <Zydis/Zydis.h>

#include <array>
#include <optional>

namespace cgo {
namespace {

/// DWARF's numbers of rax to r15 in the order of their encoding.
constexpr std::array<std::uint8_t, 16> kDwarfNumbers = {0, 2, 1,  3,  7,  6,  4,  5,
                                                        8, 9, 10, 11, 12, 13, 14, 15};

/// The registers as Zydis wants them; nothing when one that the operand names is not known.
std::optional<ZydisRegisterContext> context_for(const ZydisDecodedOperandMem& operand,
                                                const Registers& registers) {
  ZydisRegisterContext out{};
  for (const ZydisRegister part : {operand.base, operand.index}) {
    if (part == ZYDIS_REGISTER_NONE || part == ZYDIS_REGISTER_RIP) continue;
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
    if (part != whole || whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15)
      return std::nullopt;
    const auto number = static_cast<std::size_t>(whole - ZYDIS_REGISTER_RAX);
    const auto value = registers.get(kDwarfNumbers[number]);
    if (!value) return std::nullopt;
    out.values[whole] = *value;
  }
  return out;
}

std::optional<AccessedMemory> access_of(const ZydisDecodedInstruction& instruction,
                                        const ZydisDecodedOperand& operand,
                                        const Registers& registers) {
  if (operand.mem.segment == ZYDIS_REGISTER_FS || operand.mem.segment == ZYDIS_REGISTER_GS)
    return std::nullopt;
  const auto context = context_for(operand.mem, registers);
  ZyanU64 address = 0;
  if (!context || ZYAN_FAILED(ZydisCalcAbsoluteAddressEx(
                      &instruction, &operand, registers.pc().value, &*context, &address)))
    return std::nullopt;
  const std::uint64_t bytes = operand.size / 8;
  // What is pushed goes below the stack pointer.
  const bool pushed = operand.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                      operand.mem.base == ZYDIS_REGISTER_RSP &&
                      (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
  return AccessedMemory{wrapping_add({address}, pushed ? -bytes : 0), bytes};
}

}  // namespace

Result<std::vector<AccessedMemory>> accessed_memory_amd64(ByteView code,
                                                          const Registers& registers) {
  ZydisDecoder decoder;
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
      ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code.data(), code.size(), &instruction,
                                         operands.data())))
    return Error{ErrorCode::malformed_data, "no instruction at the program counter"};
  std::vector<AccessedMemory> out;
  for (std::size_t i = 0; i < instruction.operand_count; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
        instruction.meta.category == ZYDIS_CATEGORY_WIDENOP)
      continue;
    const auto access = operand.mem.type == ZYDIS_MEMOP_TYPE_MEM
                            ? access_of(instruction, operand, registers)
                            : std::nullopt;
    if (!access)
      return Error{ErrorCode::unsupported,
                   "what the instruction accesses is not told by registers"};
    out.push_back(*access);
  }
  return out;
}

}  // namespace cgo
