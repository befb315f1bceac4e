#include "target/memory_elf.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "target/elf_layout.h"
#include "target/elf_notes.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPage = 4096;

/// No linker writes more; each one costs a few reads.
constexpr std::uint64_t kMostSegments = 512;
constexpr std::uint64_t kMostNoteBytes = 64 << 10;

Error malformed(Address base, std::string_view what) {
  return Error{ErrorCode::malformed_data, "ELF image at " + hex(base) + ": " + std::string(what),
               base};
}

template <class T>
ByteView view_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

struct Headers {
  Elf64_Ehdr file;
  std::vector<Elf64_Phdr> segments;
};

Result<Headers> read_headers(const MemoryReader& memory, Address base) {
  Headers headers{};
  auto done = memory.read(base, std::as_writable_bytes(std::span(&headers.file, 1)));
  if (!done) return std::move(done).error().in("ELF header");
  const Elf64_Ehdr& file = headers.file;
  if (std::memcmp(file.e_ident, ELFMAG, SELFMAG) != 0) return malformed(base, "no ELF header");
  if (file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_ident[EI_DATA] != ELFDATA2LSB)
    return Error{
        ErrorCode::unsupported,
        "ELF image at " + hex(base) + ": not 64-bit little-endian; others are not supported"};
  if (file.e_phentsize != sizeof(Elf64_Phdr) || file.e_phnum > kMostSegments)
    return malformed(base, "program headers of an unknown size or number");
  const auto at = checked_add(base, file.e_phoff);
  if (!at) return malformed(base, "program headers wrap the address space");
  headers.segments.resize(file.e_phnum);
  done = memory.read(*at, std::as_writable_bytes(std::span(headers.segments)));
  if (!done) return std::move(done).error().in("program headers");
  return headers;
}

std::optional<std::string> read_build_id(const MemoryReader& memory, const MappedElf& image) {
  for (const ElfSegment& segment : image.segments) {
    if (segment.type != PT_NOTE || segment.memory_bytes > kMostNoteBytes) continue;
    const auto notes =
        read_bytes(memory, wrapping_add(segment.file_address, image.bias), segment.memory_bytes);
    if (!notes) continue;
    if (auto id = build_id_in_notes(*notes, segment.alignment)) return id;
  }
  return std::nullopt;
}

Result<MappedElf> describe(Address base, const Headers& headers) {
  MappedElf image{.type = headers.file.e_type, .machine = headers.file.e_machine};
  std::optional<AddressRange> span;  // File addresses.
  std::optional<Address> first;      // The file address of the file's first byte.
  for (const Elf64_Phdr& header : headers.segments) {
    const ElfSegment& segment = image.segments.emplace_back(segment_from(header));
    if (!segment.loaded() || segment.range().empty()) continue;
    if (!first && segment.file_offset < kPage)
      first = Address{segment.file_address.value - segment.file_offset};
    if (!span) span = segment.range();
    span->begin = std::min(span->begin, segment.range().begin);
    span->end = std::max(span->end, segment.range().end);
  }
  if (!span || !first) return malformed(base, "no segment that is loaded from its beginning");
  image.bias = base.value - first->value;
  image.range = {wrapping_add(span->begin, image.bias), wrapping_add(span->end, image.bias)};
  if (image.range.empty()) return malformed(base, "its segments wrap the address space");
  return image;
}

/// Puts together a file with the segments that memory has; every readable run becomes a PT_LOAD.
class FileBuilder {
 public:
  FileBuilder(const MemoryReader& memory, const MappedElf& image)
      : memory_(memory), image_(image) {}

  std::vector<std::byte> build(Elf64_Ehdr header) {
    for (const ElfSegment& segment : image_.segments)
      if (segment.loaded() && !segment.range().empty()) add_loaded(segment);
    // The others only point into loaded ones.
    const std::size_t loaded = runs_.size();
    for (const ElfSegment& segment : image_.segments)
      if (!segment.loaded()) add_pointer(segment, loaded);
    unbias_dynamic();

    header.e_shoff = 0;
    header.e_shnum = 0;
    header.e_shstrndx = 0;
    header.e_phoff = sizeof header;
    header.e_phnum = static_cast<Elf64_Half>(runs_.size());
    const std::uint64_t contents_at = sizeof header + runs_.size() * sizeof(Elf64_Phdr);
    std::vector<std::byte> file;
    file.reserve(contents_at + contents_.size());
    const auto append = [&file](ByteView bytes) {
      file.insert(file.end(), bytes.begin(), bytes.end());
    };
    append(view_of(header));
    for (Elf64_Phdr run : runs_) {
      run.p_offset += contents_at;
      append(view_of(run));
    }
    append(contents_);
    return file;
  }

 private:
  // e_phnum has 16 bits, and memory with more holes than this is not worth describing.
  static constexpr std::size_t kMostRuns = 4096;

  static Elf64_Phdr header_of(const ElfSegment& segment) {
    return {.p_type = segment.type,
            .p_flags = segment.flags,
            .p_offset = 0,
            .p_vaddr = segment.file_address.value,
            .p_paddr = 0,
            .p_filesz = 0,
            .p_memsz = segment.memory_bytes,
            .p_align = segment.alignment};
  }

  void add_loaded(const ElfSegment& segment) {
    const std::uint64_t wanted = std::min(segment.file_bytes, segment.memory_bytes);
    std::uint64_t at = 0;
    do {
      Elf64_Phdr run = header_of(segment);
      run.p_vaddr += at;
      run.p_offset = contents_.size();
      run.p_filesz = read_run(wrapping_add(segment.file_address, image_.bias + at), wanted - at);
      at += run.p_filesz;
      // What follows up to the next readable page belongs to this run, as memory without bytes.
      at = at < wanted ? next_readable(segment, at, wanted) : at;
      const std::uint64_t end = at < wanted ? at : segment.memory_bytes;
      run.p_memsz = end - (run.p_vaddr - segment.file_address.value);
      runs_.push_back(run);
    } while (at < wanted && runs_.size() < kMostRuns);
  }

  /// Appends what can be read from `from` on and returns how much that was.
  std::uint64_t read_run(Address from, std::uint64_t wanted) {
    constexpr std::uint64_t kChunk = 64 << 10;  // A run that ends soon must not cost a large one.
    std::uint64_t have = 0;
    while (have < wanted) {
      const std::uint64_t count = std::min(kChunk, wanted - have);
      const std::uint64_t got = read_chunk(wrapping_add(from, have), count);
      have += got;
      if (got < count) break;
    }
    return have;
  }

  std::uint64_t read_chunk(Address from, std::uint64_t count) {
    const std::size_t old = contents_.size();
    contents_.resize(old + count);
    const std::span<std::byte> out = std::span(contents_).subspan(old);
    std::uint64_t have = count;
    if (const auto whole = memory_.read(from, out); !whole) {
      const Address bad = whole.error().address.value_or(from);
      have = bad > from ? std::min(bad.value - from.value, count) : 0;
      if (!memory_.read(from, out.first(have))) have = 0;
    }
    contents_.resize(old + have);
    return have;
  }

  std::uint64_t next_readable(const ElfSegment& segment, std::uint64_t at,
                              std::uint64_t wanted) const {
    while (at < wanted) {
      const Address load = wrapping_add(segment.file_address, image_.bias + at);
      at += kPage - load.value % kPage;
      std::byte probe;
      const Address next = wrapping_add(segment.file_address, image_.bias + at);
      if (at < wanted && memory_.read(next, {&probe, 1})) return at;
    }
    return wanted;
  }

  void add_pointer(const ElfSegment& segment, std::size_t loaded) {
    Elf64_Phdr header = header_of(segment);
    const std::uint64_t bytes = std::min(segment.file_bytes, segment.memory_bytes);
    for (std::size_t i = 0; i < loaded; ++i) {
      const Elf64_Phdr& run = runs_[i];
      if (header.p_vaddr < run.p_vaddr) continue;
      const std::uint64_t into = header.p_vaddr - run.p_vaddr;
      if (into > run.p_filesz || bytes > run.p_filesz - into) continue;
      header.p_offset = run.p_offset + into;
      header.p_filesz = bytes;
    }
    if (runs_.size() < 2 * kMostRuns) runs_.push_back(header);
  }

  /// The dynamic linker adds the load bias to the addresses in a dynamic section (glibc), or leaves
  /// them alone (the kernel's vDSO): an address inside of the loaded range had it added.
  /// Source: glibc elf/get-dynamic-info.h, elf_get_dynamic_info.
  void unbias_dynamic() {
    for (const Elf64_Phdr& segment : runs_) {
      if (segment.p_type != PT_DYNAMIC || image_.bias == 0) continue;
      for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_filesz;
           at += sizeof(Elf64_Dyn)) {
        const std::uint64_t place = segment.p_offset + at;
        auto entry = *load<Elf64_Dyn>(contents_, place);
        const bool pointer = entry.d_tag == DT_SYMTAB || entry.d_tag == DT_STRTAB ||
                             entry.d_tag == DT_HASH || entry.d_tag == DT_GNU_HASH;
        if (!pointer || !image_.range.contains({entry.d_un.d_ptr})) continue;
        entry.d_un.d_ptr -= image_.bias;
        std::memcpy(contents_.data() + place, &entry, sizeof entry);
      }
    }
  }

  const MemoryReader& memory_;
  const MappedElf& image_;
  std::vector<Elf64_Phdr> runs_;  // p_offset counts from the start of contents_.
  std::vector<std::byte> contents_;
};

/// The file as it is, where one segment maps all of it, section headers and all: the vDSO.
std::optional<std::vector<std::byte>> whole_file(const MemoryReader& memory, Address base,
                                                 const Headers& headers, const MappedElf& image,
                                                 std::uint64_t limit) {
  const ElfSegment* only = nullptr;
  for (const ElfSegment& segment : image.segments) {
    if (!segment.loaded()) continue;
    if (only || segment.file_offset != 0) return std::nullopt;
    only = &segment;
  }
  const Elf64_Ehdr& file = headers.file;
  const std::uint64_t table = std::uint64_t{file.e_shnum} * sizeof(Elf64_Shdr);
  // The headers follow the segment's contents in its last page.
  if (!only || table == 0 || file.e_shoff > only->file_bytes + kPage) return std::nullopt;
  auto bytes = read_bytes(memory, base, std::max(only->file_bytes, file.e_shoff + table), limit);
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

}  // namespace

Result<MappedElf> mapped_elf_at(const MemoryReader& memory, Address base) {
  const auto headers = read_headers(memory, base);
  if (!headers) return headers.error();
  auto image = describe(base, *headers);
  if (image) image->build_id = read_build_id(memory, *image);
  return image;
}

Result<std::shared_ptr<const ElfFile>> elf_file_from_memory(const MemoryReader& memory,
                                                            Address base, std::string name,
                                                            std::uint64_t limit) {
  const auto headers = read_headers(memory, base);
  if (!headers) return headers.error();
  const auto image = describe(base, *headers);
  if (!image) return image.error();
  std::uint64_t bytes = 0;
  for (const ElfSegment& segment : image->segments) {
    if (segment.loaded()) bytes += std::min(segment.file_bytes, segment.memory_bytes);
    if (bytes > limit || segment.file_bytes > limit)
      return Error{ErrorCode::limit_reached, name + ": the image in memory is larger than " +
                                                 std::to_string(limit) + " bytes"};
  }
  if (auto whole = whole_file(memory, base, *headers, *image, limit)) {
    auto file = ElfFile::from_bytes(*std::move(whole), name);
    if (file) return file;
  }
  return ElfFile::from_bytes(FileBuilder(memory, *image).build(headers->file), std::move(name));
}

}  // namespace cgo
