#pragma once
// What the loader reads of a loaded file: which functions it has, and the words through which it
// calls those of others.

#include <elf.h>
#include <link.h>

#include <cstdint>

namespace cgo::agent {

struct DynamicPart {
  std::uint64_t base = 0;                  ///< Load address minus file address.
  std::uint64_t begin = 0, end = 0;        ///< Of all that is loaded.
  std::uint64_t relro = 0, relro_end = 0;  ///< What is read-only once the loader is done.
  std::uint64_t data = 0, data_end = 0;    ///< What was loaded to be written to.
  const Elf64_Sym* symbols = nullptr;
  const char* strings = nullptr;
  std::uint64_t string_bytes = 0;
  const std::uint32_t* gnu_hash = nullptr;
  const std::uint32_t* hash = nullptr;
  const Elf64_Rela* relocations[2] = {};  ///< Of data, of calls.
  std::uint64_t relocation_count[2] = {};
  bool symbolic = false;  ///< It finds its own functions first.

  bool covers(std::uint64_t address) const { return address >= begin && address < end; }
};

/// False for a file that has no such part, or one that cannot be.
bool read_dynamic_part(const dl_phdr_info& info, DynamicPart& part);

/// The address of a function that the file has for others; 0 when it has none of that name.
std::uint64_t function_in(const DynamicPart& part, const char* name);

/// A word through which the file calls a function, or takes its address.
struct Slot {
  std::uint64_t* at;
  const char* name;
  bool bound_late;    ///< Until the first call it leads to the loader, by code of the file.
  bool defined_here;  ///< The file has a function of that name itself.
};

/// Visits all slots.
template <class Visit>
void for_each_slot(const DynamicPart& part, Visit&& visit) {
  for (unsigned table = 0; table < 2; ++table) {
    for (std::uint64_t i = 0; i < part.relocation_count[table]; ++i) {
      const Elf64_Rela& relocation = part.relocations[table][i];
      const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
      const bool plain = type == R_X86_64_64 && relocation.r_addend == 0;
      if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && !plain) continue;
      const Elf64_Sym& symbol = part.symbols[ELF64_R_SYM(relocation.r_info)];
      const std::uint64_t at = part.base + relocation.r_offset;
      if (symbol.st_name >= part.string_bytes || !part.covers(at) || at % 8 != 0) continue;
      visit(Slot{reinterpret_cast<std::uint64_t*>(at), part.strings + symbol.st_name,
                 type == R_X86_64_JUMP_SLOT, symbol.st_shndx != SHN_UNDEF});
    }
  }
}

}  // namespace cgo::agent
