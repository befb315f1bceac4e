#include "target/elf_layout.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

Error malformed(const std::string& name, std::string_view what) {
  return Error{ErrorCode::malformed_data, name + ": " + std::string(what)};
}

Error not_elf64(ByteView file, const std::string& name) {
  if (file.size() < EI_NIDENT || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return malformed(name, "not an ELF file");
  return Error{ErrorCode::unsupported,
               name + ": not a 64-bit little-endian ELF file; others are not supported"};
}

bool is_elf64_little(ByteView file) {
  return file.size() >= EI_NIDENT && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0 &&
         std::to_integer<int>(file[EI_CLASS]) == ELFCLASS64 &&
         std::to_integer<int>(file[EI_DATA]) == ELFDATA2LSB;
}

ElfSection section_from(const Elf64_Shdr& header) {
  return ElfSection{.type = header.sh_type,
                    .flags = header.sh_flags,
                    .file_address = {header.sh_addr},
                    .file_offset = header.sh_offset,
                    .bytes = header.sh_size};
}

/// Counts and indexes too large for their 16-bit fields are in section header 0.
/// Source: System V ABI, "ELF Header" (e_shnum, e_shstrndx) and PN_XNUM in elf.h.
struct TableSizes {
  std::uint64_t segments;
  std::uint64_t sections;
  std::uint64_t name_section;
};

TableSizes table_sizes(ByteView file, const Elf64_Ehdr& header) {
  TableSizes sizes{header.e_phnum, header.e_shnum, header.e_shstrndx};
  if (header.e_shoff == 0) return {sizes.segments, 0, 0};
  const auto first = load<Elf64_Shdr>(file, header.e_shoff);
  if (!first) return sizes;
  if (header.e_phnum == PN_XNUM) sizes.segments = first->sh_info;
  if (header.e_shnum == 0) sizes.sections = first->sh_size;
  if (header.e_shstrndx == SHN_XINDEX) sizes.name_section = first->sh_link;
  return sizes;
}

/// The table of `count` entries at `offset`, or nothing when it does not fit.
template <class Entry>
std::optional<ByteView> table(ByteView file, std::uint64_t offset, std::uint64_t count) {
  if (count > file.size() / sizeof(Entry)) return std::nullopt;
  return slice(file, offset, count * sizeof(Entry));
}

/// Many headers may share one long name; copies of it must not exhaust memory.
constexpr std::size_t kLongestName = 256;

void read_sections(ByteView file, ByteView headers, std::uint64_t name_section, ElfLayout& layout) {
  const std::size_t count = headers.size() / sizeof(Elf64_Shdr);
  layout.sections.reserve(count);
  layout.links.reserve(count);
  ByteView names;
  if (const auto header = load<Elf64_Shdr>(headers, name_section * sizeof(Elf64_Shdr)))
    names = slice(file, header->sh_offset, header->sh_size).value_or(ByteView{});
  for (std::size_t i = 0; i < count; ++i) {
    const auto header = *load<Elf64_Shdr>(headers, i * sizeof(Elf64_Shdr));
    ElfSection section = section_from(header);
    section.name = c_string(names, header.sh_name, kLongestName).value_or(std::string_view{});
    layout.sections.push_back(std::move(section));
    layout.links.push_back({header.sh_link, header.sh_entsize, header.sh_addralign});
  }
}

}  // namespace

ElfSegment segment_from(const Elf64_Phdr& header) {
  return ElfSegment{.type = header.p_type,
                    .flags = header.p_flags,
                    .file_offset = header.p_offset,
                    .file_address = {header.p_vaddr},
                    .file_bytes = header.p_filesz,
                    .memory_bytes = header.p_memsz,
                    .alignment = header.p_align};
}

Result<ElfLayout> read_elf_layout(ByteView file, const std::string& name) {
  if (!is_elf64_little(file)) return not_elf64(file, name);
  const auto header = load<Elf64_Ehdr>(file, 0);
  if (!header) return malformed(name, "cut within the ELF header");
  const TableSizes sizes = table_sizes(file, *header);
  if (sizes.segments && header->e_phentsize != sizeof(Elf64_Phdr))
    return malformed(name, "program headers of an unknown size");
  if (sizes.sections && header->e_shentsize != sizeof(Elf64_Shdr))
    return malformed(name, "section headers of an unknown size");

  ElfLayout layout{
      .type = header->e_type, .machine = header->e_machine, .entry = {header->e_entry}};
  const auto segments = table<Elf64_Phdr>(file, header->e_phoff, sizes.segments);
  if (!segments) return malformed(name, "program headers lie outside of the file; is it cut?");
  layout.segments.reserve(sizes.segments);
  for (std::size_t i = 0; i < sizes.segments; ++i)
    layout.segments.push_back(segment_from(*load<Elf64_Phdr>(*segments, i * sizeof(Elf64_Phdr))));

  const auto sections = table<Elf64_Shdr>(file, header->e_shoff, sizes.sections);
  if (sections)
    read_sections(file, *sections, sizes.name_section, layout);
  else if (header->e_type != ET_CORE)
    return malformed(name, "section headers lie outside of the file; is it cut?");
  return layout;
}

std::optional<ByteView> stored_bytes(ByteView file, const ElfSection& section) {
  if (!section.has_bytes_in_file()) return ByteView{};
  return slice(file, section.file_offset, section.bytes);
}

ByteView stored_bytes(ByteView file, const ElfSegment& segment) {
  if (segment.file_offset >= file.size()) return {};
  const auto part = file.subspan(segment.file_offset);
  return part.first(std::min<std::uint64_t>(part.size(), segment.file_bytes));
}

}  // namespace cgo
