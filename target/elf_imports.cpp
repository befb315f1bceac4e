#include "target/elf_imports.h"

#include <algorithm>

#include "target/elf_relocations.h"

namespace cgo {

ElfImports::ElfImports(std::shared_ptr<const ElfFile> file) : file_(std::move(file)) {
  const DynamicSymbols symbols(*file_);
  each_relocation(*file_, [&](const Elf64_Rela& one) {
    const auto type = ELF64_R_TYPE(one.r_info);
    if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) return;
    const auto symbol = symbols.at(ELF64_R_SYM(one.r_info));
    const std::string_view name = symbol ? symbols.name_of(*symbol) : std::string_view();
    if (!name.empty()) words_.push_back({{one.r_offset}, name});
  });
  std::ranges::sort(words_, {}, &Word::place);
}

std::string_view ElfImports::at(Address file_address) const {
  const auto found = std::ranges::lower_bound(words_, file_address, {}, &Word::place);
  return found != words_.end() && found->place == file_address ? found->name : std::string_view();
}

}  // namespace cgo
