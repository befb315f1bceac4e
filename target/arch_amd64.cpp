#include <array>

#include "target/arch.h"

namespace cgo {
namespace {

// Source: System V ABI, AMD64 supplement, figure 3.36 "DWARF Register Number Mapping".
constexpr std::array<std::string_view, 17> kNames{"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
                                                  "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                  "r12", "r13", "r14", "r15", "rip"};
constexpr std::array<std::uint8_t, 6> kCalleeSaved{3, 6, 12, 13, 14, 15};

}  // namespace

constexpr ArchInfo kAmd64{.name = "amd64",
                          .elf_machine = 62,
                          .pointer_bytes = 8,
                          .return_address_bytes = 8,
                          .dwarf_pc = 16,
                          .dwarf_sp = 7,
                          .dwarf_fp = 6,
                          .minimum_instruction_bytes = 1,
                          .register_names = kNames,
                          .callee_saved = kCalleeSaved};

}  // namespace cgo
