#include "agent/loaded_code.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstring>

namespace cgo::agent {
namespace {

/// Source: glibc 2.35 and later, dlfcn/dlfcn.h, struct dl_find_object.
struct FoundObject {
  unsigned long long flags;
  void* begin;
  void* end;
  link_map* map;
  void* unwind_table;
  unsigned long long reserved[7];
};
using FindObject = int (*)(void*, FoundObject*);
FindObject find_object;

struct Search {
  std::uint64_t pc;
  LoadedFile* file;
};

bool covers(const dl_phdr_info& info, std::uint64_t pc, LoadedFile& file) {
  file = {.begin = ~std::uint64_t{0}, .end = 0, .unwind_table = 0, .path = info.dlpi_name};
  bool inside = false;
  for (unsigned i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info.dlpi_phdr[i];
    const std::uint64_t begin = info.dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_GNU_EH_FRAME) file.unwind_table = begin;
    if (part.p_type != PT_LOAD) continue;
    if (begin < file.begin) file.begin = begin;
    if (begin + part.p_memsz > file.end) file.end = begin + part.p_memsz;
    inside |= pc >= begin && pc < begin + part.p_memsz;
  }
  return inside;
}

int visit(dl_phdr_info* info, std::size_t, void* data) {
  auto* search = static_cast<Search*>(data);
  return covers(*info, search->pc, *search->file) ? 1 : 0;
}

/// The header lies at the first byte that is loaded, in every file that a linker made.
const ElfW(Ehdr) * elf_header(const LoadedFile& file) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(file.begin);
  const bool fits = file.end - file.begin > sizeof(*header) &&
                    std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
                    header->e_phentsize == sizeof(ElfW(Phdr)) &&
                    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= 4096;
  return fits ? header : nullptr;
}

Bytes part_of(const LoadedFile& file, const ElfW(Ehdr) & header, const ElfW(Phdr) & part) {
  const std::uint64_t bias = header.e_type == ET_EXEC ? 0 : file.begin;
  const std::uint64_t begin = bias + part.p_vaddr;
  if (begin < file.begin || begin >= file.end || part.p_filesz > file.end - begin) return {};
  return {reinterpret_cast<const std::uint8_t*>(begin), part.p_filesz};
}

Bytes build_id_in(Bytes notes) {
  while (notes.count >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.begin, sizeof(note));
    const std::uint64_t name = (note.n_namesz + 3u) & ~3u, description = (note.n_descsz + 3u) & ~3u;
    const std::uint64_t bytes = sizeof(note) + name + description;
    if (bytes > notes.count) return {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4)
      return {notes.begin + sizeof(note) + name, note.n_descsz};
    notes.begin += bytes;
    notes.count -= bytes;
  }
  return {};
}

}  // namespace

void prepare_file_search() {
  find_object = reinterpret_cast<FindObject>(dlsym(RTLD_DEFAULT, "_dl_find_object"));
}

bool file_at(std::uint64_t pc, LoadedFile& file) {
  if (find_object == nullptr) {
    Search search{pc, &file};
    return dl_iterate_phdr(visit, &search) == 1;
  }
  FoundObject found{};
  if (find_object(reinterpret_cast<void*>(pc), &found) != 0) return false;
  file = {.begin = reinterpret_cast<std::uint64_t>(found.begin),
          .end = reinterpret_cast<std::uint64_t>(found.end),
          .unwind_table = reinterpret_cast<std::uint64_t>(found.unwind_table),
          .path = found.map != nullptr && found.map->l_name != nullptr ? found.map->l_name : ""};
  return true;
}

Bytes loaded_part(const LoadedFile& file, std::uint32_t permissions, unsigned number) {
  const auto* header = elf_header(file);
  if (header == nullptr) return {};
  const auto* parts = reinterpret_cast<const ElfW(Phdr)*>(file.begin + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    if (parts[i].p_type != PT_LOAD || parts[i].p_flags != permissions) continue;
    if (number-- == 0) return part_of(file, *header, parts[i]);
  }
  return {};
}

Bytes build_id(const LoadedFile& file) {
  const auto* header = elf_header(file);
  if (header == nullptr) return {};
  const auto* parts = reinterpret_cast<const ElfW(Phdr)*>(file.begin + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    if (parts[i].p_type != PT_NOTE) continue;
    const Bytes id = build_id_in(part_of(file, *header, parts[i]));
    if (id.count != 0) return id;
  }
  return {};
}

}  // namespace cgo::agent
