#include "target/elf_imports.h"

#include <elf.h>

#include <algorithm>

#include "target/byte_view.h"

namespace cgo {
namespace {

ByteView bytes_of(const ElfFile& file, const char* name) {
  const ElfSection* section = file.section(name);
  if (section == nullptr) return {};
  const auto bytes = file.section_bytes(*section);
  return bytes ? *bytes : ByteView();
}

}  // namespace

ElfImports::ElfImports(std::shared_ptr<const ElfFile> file) : file_(std::move(file)) {
  if (file_->machine() != EM_X86_64) return;
  const ByteView symbols = bytes_of(*file_, ".dynsym"), names = bytes_of(*file_, ".dynstr");
  for (const ElfSection& section : file_->sections()) {
    if (section.type != SHT_RELA || (section.flags & SHF_ALLOC) == 0) continue;
    const auto bytes = file_->section_bytes(section);
    if (!bytes) continue;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= bytes->size(); at += sizeof(Elf64_Rela)) {
      const auto one = *load<Elf64_Rela>(*bytes, at);
      const auto type = ELF64_R_TYPE(one.r_info);
      if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) continue;
      const auto symbol = load<Elf64_Sym>(symbols, ELF64_R_SYM(one.r_info) * sizeof(Elf64_Sym));
      const auto name = symbol ? c_string(names, symbol->st_name) : std::nullopt;
      if (name && !name->empty()) words_.push_back({{one.r_offset}, *name});
    }
  }
  std::ranges::sort(words_, {}, &Word::place);
}

std::string_view ElfImports::at(Address file_address) const {
  const auto found = std::ranges::lower_bound(words_, file_address, {}, &Word::place);
  return found != words_.end() && found->place == file_address ? found->name : std::string_view();
}

}  // namespace cgo
