#include "crossings/machine_code.h"

#include <Zydis/Zydis.h>

namespace cgo {
namespace {

const ZydisDecoder& decoder() {
  static const ZydisDecoder made = [] {
    ZydisDecoder out;
    ZydisDecoderInit(&out, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return out;
  }();
  return made;
}

/// The number of the general register that `which` is or is a part of, or -1.
int register_number(ZydisRegister which) {
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, which);
  return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15 ? whole - ZYDIS_REGISTER_RAX
                                                                    : -1;
}

struct Decoded {
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

  const ZydisDecodedOperand& operand(std::size_t index) const { return operands[index]; }
  Address absolute(const ZydisDecodedOperand& of, Address at) const {
    ZyanU64 address = 0;
    if (ZYAN_FAILED(ZydisCalcAbsoluteAddress(&instruction, &of, at.value, &address))) return {};
    return {address};
  }
};

bool is_rip_relative(const ZydisDecodedOperand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_RIP &&
         operand.mem.index == ZYDIS_REGISTER_NONE;
}

void add_branch(const Decoded& code, bool call, Instruction& out) {
  if (code.instruction.operand_count_visible < 1) return;
  const ZydisDecodedOperand& where = code.operand(0);
  if (where.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && where.imm.is_relative) {
    out.kind = call ? Instruction::Kind::call : Instruction::Kind::jump;
    out.target = code.absolute(where, out.at);
  } else if (is_rip_relative(where)) {
    out.kind = Instruction::Kind::slot;
    out.target = code.absolute(where, out.at);
  }
}

void add_move(const Decoded& code, Instruction& out) {
  const ZydisDecodedOperand& from = code.operand(1);
  if (out.to < 0 || code.operand(0).size != 64) return;
  if (from.type != ZYDIS_OPERAND_TYPE_MEMORY || from.size != 64) return;
  if (from.mem.segment == ZYDIS_REGISTER_FS || from.mem.segment == ZYDIS_REGISTER_GS) return;
  if (is_rip_relative(from)) {
    out.kind = Instruction::Kind::load;
    out.target = code.absolute(from, out.at);
  } else if (from.mem.index == ZYDIS_REGISTER_NONE && from.mem.disp.value == 0) {
    out.from = register_number(from.mem.base);
    if (out.from >= 0) out.kind = Instruction::Kind::follow;
  }
}

/// Whether it may lead somewhere or write a register that is asked for: most of the work is in the
/// operands of those that do not.
bool tells_something(const ZydisDecodedInstruction& instruction) {
  switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_RET:
    case ZYDIS_MNEMONIC_TEST:
      return false;
    default:
      return instruction.operand_count_visible != 0;
  }
}

Instruction instruction_of(const Decoded& code, Address at) {
  Instruction out{.at = at, .bytes = code.instruction.length};
  const ZydisDecodedOperand& first = code.operand(0);
  if (first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
      (first.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
    out.to = register_number(first.reg.value);
  switch (code.instruction.meta.category) {
    case ZYDIS_CATEGORY_CALL:
      add_branch(code, true, out);
      break;
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
      add_branch(code, false, out);
      break;
    default:
      if (code.instruction.mnemonic == ZYDIS_MNEMONIC_MOV) add_move(code, out);
      break;
  }
  return out;
}

}  // namespace

bool decode_amd64(ByteView code, Address at, const std::function<bool(const Instruction&)>& visit) {
  std::size_t offset = 0;
  while (offset < code.size()) {
    Decoded decoded;
    ZydisDecoderContext context;
    if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder(), &context, code.data() + offset,
                                                  code.size() - offset, &decoded.instruction)))
      return false;
    const Address here = wrapping_add(at, offset);
    Instruction one{.at = here, .bytes = decoded.instruction.length};
    if (tells_something(decoded.instruction)) {
      if (ZYAN_FAILED(ZydisDecoderDecodeOperands(&decoder(), &context, &decoded.instruction,
                                                 decoded.operands,
                                                 decoded.instruction.operand_count_visible)))
        return false;
      one = instruction_of(decoded, here);
    }
    one.calls = decoded.instruction.meta.category == ZYDIS_CATEGORY_CALL;
    one.returns = decoded.instruction.mnemonic == ZYDIS_MNEMONIC_RET;
    one.falls_through =
        !one.returns && decoded.instruction.meta.category != ZYDIS_CATEGORY_UNCOND_BR;
    if (!visit(one)) return true;
    offset += decoded.instruction.length;
  }
  return true;
}

bool begins_instruction_amd64(ByteView code, Address at, Address wanted) {
  std::size_t offset = 0;
  const std::uint64_t goal = wanted.value - at.value;
  while (offset < goal && offset < code.size()) {
    ZydisDecodedInstruction instruction;
    if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder(), nullptr, code.data() + offset,
                                                  code.size() - offset, &instruction)))
      return false;
    offset += instruction.length;
  }
  return offset == goal;
}

}  // namespace cgo
