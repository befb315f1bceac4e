#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cgo {

/// What differs between CPU architectures. Adding one: see docs/adding-an-architecture.md.
/// Registers are numbered as in DWARF for that CPU.
struct ArchInfo {
  std::string_view name;      ///< Go's name: "amd64", "arm64".
  std::uint16_t elf_machine;  ///< e_machine.
  std::uint8_t pointer_bytes;
  std::uint8_t return_address_bytes;  ///< What a call pushes; 0 where it goes to a link register.
  std::uint8_t dwarf_pc;
  std::uint8_t dwarf_sp;
  std::uint8_t dwarf_fp;
  std::uint8_t minimum_instruction_bytes;            ///< pclntab's MinLC.
  std::span<const std::string_view> register_names;  ///< By DWARF number; LLDB's names.
  std::span<const std::uint8_t> callee_saved;        ///< C ABI, without SP.
};

extern const ArchInfo kAmd64;

/// The row for an ELF machine number; null when this program has none.
const ArchInfo* arch_for_elf_machine(std::uint16_t machine);

}  // namespace cgo
