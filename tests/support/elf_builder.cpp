#include "support/elf_builder.h"

#include <elf.h>

#include <algorithm>

namespace cgo {
namespace {

template <class T>
ByteView view_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace

std::vector<std::byte> elf_note(std::string_view owner, std::uint32_t type, ByteView description) {
  return ByteWriter()
      .u32(static_cast<std::uint32_t>(owner.size() + 1))
      .u32(static_cast<std::uint32_t>(description.size()))
      .u32(type)
      .text(owner)
      .u8(0)
      .align(4)
      .bytes(description)
      .align(4)
      .take();
}

std::uint16_t ElfBuilder::section(Section section) {
  sections_.push_back(std::move(section));
  return static_cast<std::uint16_t>(sections_.size());
}

ElfBuilder& ElfBuilder::segment(Segment segment) {
  segments_.push_back(std::move(segment));
  return *this;
}

ElfBuilder& ElfBuilder::symbols(const std::vector<Symbol>& symbols) {
  ByteWriter names, entries;
  names.u8(0);
  entries.zeros(sizeof(Elf64_Sym));
  for (const Symbol& symbol : symbols) {
    entries.bytes(view_of(
        Elf64_Sym{.st_name = static_cast<Elf64_Word>(names.size()),
                  .st_info = static_cast<unsigned char>(ELF64_ST_INFO(symbol.binding, symbol.type)),
                  .st_other = 0,
                  .st_shndx = symbol.section,
                  .st_value = symbol.address.value,
                  .st_size = symbol.bytes}));
    names.text(symbol.name).u8(0);
  }
  const std::uint16_t strings =
      section({.name = ".strtab", .type = SHT_STRTAB, .contents = names.take()});
  section({.name = ".symtab", .type = SHT_SYMTAB, .contents = entries.take(), .link = strings});
  return *this;
}

std::vector<std::byte> ElfBuilder::build() const {
  ByteWriter names;
  names.u8(0);
  ByteWriter contents;
  const std::size_t contents_at = sizeof(Elf64_Ehdr) + segments_.size() * sizeof(Elf64_Phdr);
  ByteWriter program_headers, section_headers;
  section_headers.zeros(sizeof(Elf64_Shdr));
  for (const Segment& segment : segments_) {
    const std::uint64_t bytes = segment.contents.size();
    program_headers.bytes(
        view_of(Elf64_Phdr{.p_type = segment.type,
                           .p_flags = segment.flags,
                           .p_offset = contents_at + contents.size(),
                           .p_vaddr = segment.address.value,
                           .p_paddr = 0,
                           .p_filesz = bytes,
                           .p_memsz = segment.memory_bytes ? segment.memory_bytes : bytes,
                           .p_align = 4}));
    contents.bytes(segment.contents).align(8);
  }
  std::vector<Section> sections = sections_;
  ByteWriter all_names;
  all_names.u8(0);
  for (const Section& section : sections_) all_names.text(section.name).u8(0);
  all_names.text(".shstrtab").u8(0);
  sections.push_back({.name = ".shstrtab", .type = SHT_STRTAB, .contents = all_names.take()});
  for (const Section& section : sections) {
    section_headers.bytes(view_of(Elf64_Shdr{
        .sh_name = static_cast<Elf64_Word>(names.size()),
        .sh_type = section.type,
        .sh_flags = section.flags,
        .sh_addr = section.address.value,
        .sh_offset = contents_at + contents.size(),
        .sh_size = section.claimed_bytes ? section.claimed_bytes : section.contents.size(),
        .sh_link = section.link,
        .sh_info = 0,
        .sh_addralign = 1,
        .sh_entsize = 0}));
    names.text(section.name).u8(0);
    contents.bytes(section.contents).align(8);
  }
  Elf64_Ehdr header{};
  const unsigned char ident[] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
  std::copy(std::begin(ident), std::end(ident), header.e_ident);
  header.e_type = type_;
  header.e_machine = machine_;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_shoff = contents_at + contents.size();
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(segments_.size());
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(sections.size() + 1);
  header.e_shstrndx = static_cast<Elf64_Half>(sections.size());
  return ByteWriter()
      .bytes(view_of(header))
      .bytes(program_headers.take())
      .bytes(contents.take())
      .bytes(section_headers.take())
      .take();
}

}  // namespace cgo
