#include "agent/dynamic_part.h"

#include <cstring>

namespace cgo::agent {
namespace {

void take_segments(const dl_phdr_info& info, DynamicPart& part, const Elf64_Dyn*& dynamic) {
  part.base = info.dlpi_addr;
  part.begin = ~std::uint64_t{0};
  for (unsigned i = 0; i < info.dlpi_phnum; ++i) {
    const Elf64_Phdr& segment = info.dlpi_phdr[i];
    const std::uint64_t begin = part.base + segment.p_vaddr, end = begin + segment.p_memsz;
    if (segment.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const Elf64_Dyn*>(begin);
    if (segment.p_type == PT_GNU_RELRO) {
      part.relro = begin;
      part.relro_end = end;
    }
    if (segment.p_type != PT_LOAD) continue;
    if (begin < part.begin) part.begin = begin;
    if (end > part.end) part.end = end;
    if ((segment.p_flags & PF_W) != 0) {
      part.data = begin;
      part.data_end = end;
    }
  }
}

/// The loader has made some of these addresses of the process already, others not.
template <class Pointer>
void take(Pointer& to, const DynamicPart& part, std::uint64_t value) {
  if (!part.covers(value)) value += part.base;
  to = part.covers(value) ? reinterpret_cast<Pointer>(value) : nullptr;
}

/// Source: glibc elf/dl-lookup.c, gABI "Hash Table", the GNU hash section as binutils writes it.
const Elf64_Sym* next_in_gnu_hash(const DynamicPart& part, const char* name) {
  std::uint32_t hash = 5381;
  for (const char* c = name; *c != '\0'; ++c) hash = hash * 33 + static_cast<unsigned char>(*c);
  const std::uint32_t buckets = part.gnu_hash[0], first = part.gnu_hash[1],
                      bloom_words = part.gnu_hash[2];
  if (buckets == 0) return nullptr;
  const std::uint32_t* bucket = part.gnu_hash + 4 + std::uint64_t{bloom_words} * 2;
  const std::uint32_t* chain = bucket + buckets;
  std::uint32_t number = bucket[hash % buckets];
  if (number < first) return nullptr;
  for (;; ++number) {
    const std::uint32_t entry = chain[number - first];
    const Elf64_Sym& symbol = part.symbols[number];
    if ((entry | 1) == (hash | 1) && symbol.st_name < part.string_bytes &&
        symbol.st_shndx != SHN_UNDEF && std::strcmp(part.strings + symbol.st_name, name) == 0)
      return &symbol;
    if ((entry & 1) != 0) return nullptr;
  }
}

const Elf64_Sym* in_old_hash(const DynamicPart& part, const char* name) {
  const std::uint32_t count = part.hash[1];
  for (std::uint32_t i = 1; i < count; ++i) {
    const Elf64_Sym& symbol = part.symbols[i];
    if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < part.string_bytes &&
        std::strcmp(part.strings + symbol.st_name, name) == 0)
      return &symbol;
  }
  return nullptr;
}

}  // namespace

bool read_dynamic_part(const dl_phdr_info& info, DynamicPart& part) {
  const Elf64_Dyn* dynamic = nullptr;
  take_segments(info, part, dynamic);
  if (dynamic == nullptr) return false;
  std::uint64_t bytes[2] = {};
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const std::uint64_t value = dynamic->d_un.d_val;
    switch (dynamic->d_tag) {
      case DT_SYMTAB:
        take(part.symbols, part, value);
        break;
      case DT_STRTAB:
        take(part.strings, part, value);
        break;
      case DT_STRSZ:
        part.string_bytes = value;
        break;
      case DT_GNU_HASH:
        take(part.gnu_hash, part, value);
        break;
      case DT_HASH:
        take(part.hash, part, value);
        break;
      case DT_RELA:
        take(part.relocations[0], part, value);
        break;
      case DT_RELASZ:
        bytes[0] = value;
        break;
      case DT_JMPREL:
        take(part.relocations[1], part, value);
        break;
      case DT_PLTRELSZ:
        bytes[1] = value;
        break;
      case DT_SYMBOLIC:
        part.symbolic = true;
        break;
      case DT_FLAGS:
        part.symbolic |= (value & DF_SYMBOLIC) != 0;
        break;
      default:
        break;
    }
  }
  for (unsigned i = 0; i < 2; ++i)
    if (part.relocations[i] != nullptr) part.relocation_count[i] = bytes[i] / sizeof(Elf64_Rela);
  return part.symbols != nullptr && part.strings != nullptr;
}

std::uint64_t function_in(const DynamicPart& part, const char* name) {
  const Elf64_Sym* symbol = nullptr;
  if (part.gnu_hash != nullptr)
    symbol = next_in_gnu_hash(part, name);
  else if (part.hash != nullptr)
    symbol = in_old_hash(part, name);
  if (symbol == nullptr || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC) return 0;
  return part.base + symbol->st_value;
}

}  // namespace cgo::agent
