#include "target/elf_notes.h"

#include <elf.h>

namespace cgo {

std::optional<ElfNote> ElfNotes::next() {
  const auto header = load<Elf64_Nhdr>(bytes_, at_);
  if (!header) return std::nullopt;
  const std::uint64_t name_at = at_ + sizeof(Elf64_Nhdr);
  // 64-bit sums of 32-bit fields cannot wrap.
  const auto aligned = [this](std::uint64_t offset) {
    return (offset + alignment_ - 1) & ~(alignment_ - 1);
  };
  const std::uint64_t description_at = aligned(name_at + header->n_namesz);
  const auto name = slice(bytes_, name_at, header->n_namesz);
  const auto description = slice(bytes_, description_at, header->n_descsz);
  if (!name || !description) return std::nullopt;
  at_ = aligned(description_at + header->n_descsz);
  std::string_view owner(reinterpret_cast<const char*>(name->data()), name->size());
  owner = owner.substr(0, owner.find('\0'));
  return ElfNote{.owner = owner, .type = header->n_type, .description = *description};
}

std::optional<std::string> build_id_in_notes(ByteView notes, std::uint64_t alignment) {
  ElfNotes walk(notes, alignment);
  while (const auto note = walk.next())
    if (note->type == NT_GNU_BUILD_ID && note->owner == "GNU" && !note->description.empty())
      return hex_digits(note->description);
  return std::nullopt;
}

std::string hex_digits(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    text += kDigits[value >> 4];
    text += kDigits[value & 15];
  }
  return text;
}

}  // namespace cgo
