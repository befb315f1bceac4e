#include "support/go_runtime_state.h"

#include "support/elf_builder.h"

namespace cgo {
namespace {

constexpr Address kAllgsArray{0xc000200000};
constexpr std::uint64_t kReasonText = 0x100, kLock = 0x300;
constexpr std::uint8_t kLoad = 0x8b, kLea = 0x8d;

void append(std::vector<std::byte>& code, ByteView bytes) {
  for (std::byte byte : bytes) code.push_back(byte);
}

/// A 7-byte instruction whose operand is `target`, behind `code` that begins at `at`.
void operand(std::vector<std::byte>& code, Address at, std::uint8_t opcode, Address target) {
  const Address next{at.value + code.size() + 7};
  const auto distance = static_cast<std::int32_t>(target.value - next.value);
  ByteWriter out;
  out.u8(0x48).u8(opcode).u8(0x0d).integer(distance);
  append(code, out.take());
}

void put_g(MemoryImage& memory, const GLayout& layout, Address at, std::uint64_t id, Address m) {
  for (std::uint32_t i = 0; i < layout.bytes; ++i) memory.u8({at.value + i}, 0);
  memory.u64({at.value + layout.stack_lo.bytes}, 0xc000010000)
      .u64({at.value + layout.stack_hi.bytes}, 0xc000012000)
      .u64({at.value + layout.m.bytes}, m.value)
      .u32({at.value + layout.atomicstatus.bytes}, 2)
      .u64({at.value + layout.goid.bytes}, id);
}

void put_m(MemoryImage& memory, const MLayout& layout, Address at, Address g0, Address next) {
  for (std::uint32_t i = 0; i < layout.bytes; ++i) memory.u8({at.value + i}, 0);
  memory.u64({at.value + layout.g0.bytes}, g0.value)
      .u64({at.value + layout.procid.bytes}, 4711)
      .u64({at.value + layout.curg.bytes}, kG.value)
      .u64({at.value + layout.alllink.bytes}, next.value);
}

}  // namespace

void add_runtime_functions(GoProgramBuilder& program) {
  ByteWriter tls;
  tls.u8(0x64).u8(0x48).u8(0x8b).u8(0x0c).u8(0x25).integer(std::int32_t{-8});
  program.function("runtime.asmcgocall", tls.take(), 2);
  std::vector<std::byte> code;
  for (std::uint64_t word : {kLock, kAllgsVariable + 16, kAllgsVariable + 8, kAllgsVariable}) {
    const bool lock = word == kLock;
    operand(code, program.next_function(), lock ? kLea : kLoad, program.variable(word));
  }
  program.function("runtime.allgadd", code);
  code.clear();
  operand(code, program.next_function(), kLea, program.variable(kLock));
  operand(code, program.next_function(), kLoad, program.variable(kAllmVariable));
  operand(code, program.next_function(), kLea, program.variable(kAllmVariable));
  program.function("runtime.mcommoninit", code);
  code.clear();
  operand(code, program.next_function(), kLea, program.variable(kReasonText));
  operand(code, program.next_function(), kLea, program.variable(kReasonsVariable));
  program.function("runtime.waitReason.String", code);
}

void add_runtime_state(const GoProgramBuilder& program, MemoryImage& memory) {
  put_g(memory, program.layout().g, kG, 1, kM);
  put_g(memory, program.layout().g, kG0, 0, kM);
  put_m(memory, program.layout().m, kM, kG0, {});
  memory.u64(kAllgsArray, kG.value);
  memory.u64(program.variable(kAllgsVariable), kAllgsArray.value)
      .u64(program.variable(kAllgsVariable + 8), 1)
      .u64(program.variable(kAllgsVariable + 16), 4)
      .u64(program.variable(kAllmVariable), kM.value)
      .u64(program.variable(kReasonsVariable + 16), program.variable(kReasonText).value)
      .u64(program.variable(kReasonsVariable + 24), 17)
      .text(program.variable(kReasonText), "GC assist marking");
}

}  // namespace cgo
