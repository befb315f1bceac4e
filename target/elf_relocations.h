#pragma once

#include <elf.h>

#include "target/byte_view.h"
#include "target/elf.h"

namespace cgo {

/// Calls `visit` for each relocation that loading the file applies; those of an object file, or
/// kept for other tools, are left out. Nothing for CPUs other than amd64.
template <class Visit>
void each_relocation(const ElfFile& file, const Visit& visit) {
  if (file.machine() != EM_X86_64) return;
  for (const ElfSection& section : file.sections()) {
    if (section.type != SHT_RELA || (section.flags & SHF_ALLOC) == 0) continue;
    const auto bytes = file.section_bytes(section);
    if (!bytes) continue;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= bytes->size(); at += sizeof(Elf64_Rela))
      visit(*load<Elf64_Rela>(*bytes, at));
  }
}

/// The symbol of .dynsym with this number, and nothing outside of it.
class DynamicSymbols {
 public:
  explicit DynamicSymbols(const ElfFile& file)
      : symbols_(bytes_of(file, ".dynsym")), names_(bytes_of(file, ".dynstr")) {}

  std::optional<Elf64_Sym> at(std::uint64_t number) const {
    if (number >= symbols_.size() / sizeof(Elf64_Sym)) return std::nullopt;
    return load<Elf64_Sym>(symbols_, number * sizeof(Elf64_Sym));
  }
  /// Lives as long as the file; empty where there is none.
  std::string_view name_of(const Elf64_Sym& symbol) const {
    return c_string(names_, symbol.st_name).value_or(std::string_view());
  }

 private:
  static ByteView bytes_of(const ElfFile& file, const char* name) {
    const ElfSection* section = file.section(name);
    if (section == nullptr) return {};
    const auto bytes = file.section_bytes(*section);
    return bytes ? *bytes : ByteView();
  }

  ByteView symbols_, names_;
};

}  // namespace cgo
