#include "target/linked_memory.h"

#include <algorithm>
#include <cstring>

#include "target/elf_relocations.h"

namespace cgo {
namespace {

constexpr std::uint64_t kWordBytes = 8;

}  // namespace

LinkedMemory::LinkedMemory(std::shared_ptr<const ElfFile> file) : file_(std::move(file)) {
  read_relocations();
}

void LinkedMemory::read_relocations() {
  const DynamicSymbols symbols(*file_);
  each_relocation(*file_, [&](const Elf64_Rela& one) {
    const auto addend = static_cast<std::uint64_t>(one.r_addend);
    switch (ELF64_R_TYPE(one.r_info)) {
      case R_X86_64_RELATIVE:
        words_[{one.r_offset}] = addend;
        break;
      case R_X86_64_64:
      case R_X86_64_GLOB_DAT:
      case R_X86_64_JUMP_SLOT: {
        const auto symbol = symbols.at(ELF64_R_SYM(one.r_info));
        const bool here = symbol && symbol->st_shndx != SHN_UNDEF;
        words_[{one.r_offset}] = here ? symbol->st_value + addend : 0;
        break;
      }
      default:
        break;  // Thread-local offsets, indirect functions: not known before loading.
    }
  });
}

Result<void> LinkedMemory::read(Address from, std::span<std::byte> out) const {
  for (std::size_t done = 0; done < out.size();) {
    const auto here = checked_add(from, done);
    const ElfSegment* found = nullptr;
    for (const ElfSegment& segment : file_->segments())
      if (here && segment.loaded() && segment.range().contains(*here)) found = &segment;
    if (found == nullptr) return unreadable(from, out.size(), here.value_or(from));
    const std::uint64_t offset = here->value - found->file_address.value;
    const std::uint64_t left =
        std::min<std::uint64_t>(out.size() - done, found->memory_bytes - offset);
    const std::uint64_t in_file = found->file_bytes > offset ? found->file_bytes - offset : 0;
    const std::uint64_t copied = std::min(left, in_file);
    if (copied != 0) {
      const auto bytes = slice(file_->bytes(), found->file_offset + offset, copied);
      if (!bytes) return unreadable(from, out.size(), *here);
      std::memcpy(out.data() + done, bytes->data(), copied);
    }
    std::memset(out.data() + done + copied, 0, left - copied);
    done += left;
  }
  const Address last = wrapping_add(from, out.size());
  const Address first{from.value < kWordBytes ? 0 : from.value - (kWordBytes - 1)};
  for (auto word = words_.lower_bound(first); word != words_.end() && word->first < last; ++word)
    for (std::uint64_t i = 0; i < kWordBytes; ++i) {
      const std::uint64_t at = word->first.value + i - from.value;
      if (at < out.size()) out[at] = static_cast<std::byte>(word->second >> 8 * i);
    }
  return {};
}

}  // namespace cgo
