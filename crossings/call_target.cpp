#include "crossings/call_target.h"

#include <Zydis/Zydis.h>

#include <array>
#include <map>

namespace cgo {
namespace {

/// A stack that is nowhere in the debuggee (not a canonical address): what is stored there is kept.
constexpr std::uint64_t kStack = 0x7f00'0000'0000'0000, kStackBytes = 1 << 20;
constexpr int kRdx = 2, kRsp = 4;

using Operand = ZydisDecodedOperand;

/// The general registers as far as they are known, from one straight run over code.
class Registers64 {
 public:
  Registers64(const MemoryReader& memory, Address closure) : memory_(memory) {
    known_[kRdx] = closure.value;
    known_[kRsp] = kStack;
  }

  std::optional<std::uint64_t> value(const ZydisDecodedInstruction& instruction,
                                     const Operand& operand, Address at) const {
    if (operand.size != 64) return std::nullopt;
    switch (operand.type) {
      case ZYDIS_OPERAND_TYPE_REGISTER:
        return of_register(operand.reg.value);
      case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        return operand.imm.value.u;
      case ZYDIS_OPERAND_TYPE_MEMORY: {
        const auto address = address_of(instruction, operand, at);
        return address ? load(*address) : std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

  std::optional<std::uint64_t> address_of(const ZydisDecodedInstruction& instruction,
                                          const Operand& operand, Address at) const {
    if (operand.mem.segment == ZYDIS_REGISTER_FS || operand.mem.segment == ZYDIS_REGISTER_GS)
      return std::nullopt;
    const auto displacement = static_cast<std::uint64_t>(operand.mem.disp.value);
    if (operand.mem.base == ZYDIS_REGISTER_RIP) return at.value + instruction.length + displacement;
    if (operand.mem.index != ZYDIS_REGISTER_NONE) return std::nullopt;
    const auto base = of_register(operand.mem.base);
    if (!base) return std::nullopt;
    return *base + displacement;
  }

  void set(const Operand& operand, std::optional<std::uint64_t> value) {
    if (const int number = number_of(operand.reg.value); number >= 0)
      known_[static_cast<std::size_t>(number)] = operand.size == 64 ? value : std::nullopt;
  }
  void store(std::optional<std::uint64_t> address, std::optional<std::uint64_t> value) {
    if (!address || *address - (kStack - kStackBytes) >= 2 * kStackBytes) {
      // Where it went may be read again.
      stored_elsewhere_ = true;
      return;
    }
    stack_[*address] = value;
  }
  void move_stack(std::uint64_t bytes) {
    if (known_[kRsp]) *known_[kRsp] += bytes;
  }
  std::optional<std::uint64_t> stack_pointer() const { return known_[kRsp]; }
  std::optional<std::uint64_t> closure() const { return known_[kRdx]; }
  /// A call was passed: registers are what it left.
  void forget() {
    const auto sp = known_[kRsp];
    known_.fill(std::nullopt);
    known_[kRsp] = sp;
  }

 private:
  static int number_of(ZydisRegister which) {
    const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, which);
    return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15 ? whole - ZYDIS_REGISTER_RAX
                                                                      : -1;
  }
  std::optional<std::uint64_t> of_register(ZydisRegister which) const {
    const int number = number_of(which);
    return number < 0 ? std::nullopt : known_[static_cast<std::size_t>(number)];
  }
  std::optional<std::uint64_t> load(std::uint64_t address) const {
    if (address - (kStack - kStackBytes) < 2 * kStackBytes) {
      const auto found = stack_.find(address);
      return found == stack_.end() ? std::nullopt : found->second;
    }
    if (stored_elsewhere_) return std::nullopt;
    const auto read = read_unsigned<std::uint64_t>(memory_, {address});
    return read ? std::optional(*read) : std::nullopt;
  }

  const MemoryReader& memory_;
  std::array<std::optional<std::uint64_t>, 16> known_{};
  std::map<std::uint64_t, std::optional<std::uint64_t>> stack_;
  bool stored_elsewhere_ = false;
};

struct Step {
  ZydisDecodedInstruction instruction;
  std::array<Operand, ZYDIS_MAX_OPERAND_COUNT> operands;
};

/// Does what the instruction does to what is known.
void execute(const Step& step, Address at, Registers64& registers) {
  const ZydisDecodedInstruction& one = step.instruction;
  const auto& [first, second] = std::pair(step.operands[0], step.operands[1]);
  switch (one.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
      if (first.type == ZYDIS_OPERAND_TYPE_MEMORY)
        return registers.store(registers.address_of(one, first, at),
                               registers.value(one, second, at));
      return registers.set(first, registers.value(one, second, at));
    case ZYDIS_MNEMONIC_LEA:
      return registers.set(first, registers.address_of(one, second, at));
    case ZYDIS_MNEMONIC_PUSH:
      registers.move_stack(-std::uint64_t{8});
      return registers.store(registers.stack_pointer(), registers.value(one, first, at));
    default:
      break;
  }
  const bool on_stack = first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                        first.reg.value == ZYDIS_REGISTER_RSP &&
                        second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  if (on_stack && one.mnemonic == ZYDIS_MNEMONIC_SUB)
    return registers.move_stack(-second.imm.value.u);
  if (on_stack && one.mnemonic == ZYDIS_MNEMONIC_ADD)
    return registers.move_stack(second.imm.value.u);
  for (std::size_t i = 0; i < one.operand_count; ++i) {
    const Operand& operand = step.operands[i];
    if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) continue;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) registers.set(operand, std::nullopt);
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY)
      registers.store(registers.address_of(one, operand, at), std::nullopt);
  }
}

}  // namespace

std::optional<CallTarget> call_target_amd64(const MemoryReader& memory, ByteView code,
                                            Address entry, Address call, Address closure) {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  Registers64 registers(memory, closure);
  for (std::size_t offset = 0; offset < code.size();) {
    Step step;
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code.data() + offset, code.size() - offset,
                                           &step.instruction, step.operands.data())))
      return std::nullopt;
    const Address at = wrapping_add(entry, offset);
    const bool calls = step.instruction.meta.category == ZYDIS_CATEGORY_CALL;
    if (at == call) {
      const auto target =
          calls ? registers.value(step.instruction, step.operands[0], at) : std::nullopt;
      if (!target) return std::nullopt;
      CallTarget out{.code = {*target}, .closure = std::nullopt};
      if (const auto passed = registers.closure()) out.closure = Address{*passed};
      return out;
    }
    if (at > call || step.instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
        step.instruction.meta.category == ZYDIS_CATEGORY_RET)
      return std::nullopt;
    if (calls)
      registers.forget();
    else
      execute(step, at, registers);
    offset += step.instruction.length;
  }
  return std::nullopt;
}

}  // namespace cgo
