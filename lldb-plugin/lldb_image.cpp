#include "lldb-plugin/lldb_image.h"

#include <elf.h>

#include <algorithm>
#include <array>

#include "target/elf_notes.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMaxNoteBytes = 64 * 1024;
constexpr std::uint64_t kMaxMemoryImageBytes = 1 << 20;
constexpr std::uint32_t kGoBuildIdNote = 4;  // Source: src/cmd/link/internal/ld/elf.go, ELF_NOTE_GOBUILDID_TAG.

void take_ids(BuildIds& ids, ByteView notes, std::uint64_t alignment) {
  ElfNotes walk(notes, alignment);
  while (const auto note = walk.next()) {
    if (note->owner == "GNU" && note->type == NT_GNU_BUILD_ID && !ids.gnu)
      ids.gnu = hex_digits(note->description);
    if (note->owner == "Go" && note->type == kGoBuildIdNote && !ids.go) {
      const auto* text = reinterpret_cast<const char*>(note->description.data());
      ids.go = std::string(text, note->description.size());
    }
  }
}

std::string path_of(lldb::SBFileSpec spec) {
  std::array<char, 4096> path{};
  if (!spec.IsValid() || spec.GetPath(path.data(), path.size()) == 0) return "";
  return path.data();
}

/// Load address minus file address, from the first section that is loaded.
std::optional<std::uint64_t> bias_of(lldb::SBModule module, lldb::SBTarget target) {
  for (std::size_t i = 0; i < module.GetNumSections(); ++i) {
    lldb::SBSection section = module.GetSectionAtIndex(i);
    const std::uint64_t load = section.GetLoadAddress(target);
    if (load != LLDB_INVALID_ADDRESS && section.GetFileAddress() != LLDB_INVALID_ADDRESS)
      return load - section.GetFileAddress();
  }
  return std::nullopt;
}

AddressRange range_of_sections(lldb::SBModule module, lldb::SBTarget target) {
  AddressRange range{{UINT64_MAX}, {0}};
  for (std::size_t i = 0; i < module.GetNumSections(); ++i) {
    lldb::SBSection section = module.GetSectionAtIndex(i);
    const std::uint64_t load = section.GetLoadAddress(target);
    if (load == LLDB_INVALID_ADDRESS) continue;
    range.begin = std::min(range.begin, Address{load});
    range.end = std::max(range.end, Address{load + section.GetByteSize()});
  }
  return range.empty() ? AddressRange{} : range;
}

AddressRange range_of_file(const ElfFile& file, std::uint64_t bias) {
  AddressRange range{{UINT64_MAX}, {0}};
  for (const ElfSegment& segment : file.segments()) {
    if (segment.type != PT_LOAD || segment.memory_bytes == 0) continue;
    range.begin = std::min(range.begin, {segment.file_address.value + bias});
    range.end = std::max(range.end, {segment.range().end.value + bias});
  }
  return range.empty() ? AddressRange{} : range;
}

/// The vDSO has no file: its bytes are in memory, headers and all.
Result<std::shared_ptr<const ElfFile>> file_from_memory(const MemoryReader& memory,
                                                        AddressRange range, std::string name) {
  const std::uint64_t pages = (range.bytes() + 4095) / 4096 * 4096;
  auto bytes = read_bytes(memory, range.begin, pages, kMaxMemoryImageBytes);
  if (!bytes) return std::move(bytes).error();
  return ElfFile::from_bytes(*std::move(bytes), std::move(name));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What LLDB knows of the module's build id, as hex without dashes; empty when it is no build id.
std::string module_id(lldb::SBModule module) {
  const char* text = module.GetUUIDString();
  std::string id = text == nullptr ? "" : text;
  std::erase(id, '-');
  return lower(id);
}

/// Why the file is not the one the process ran, if so. A core may lack the page with the id; then
/// LLDB's id is used, which a core's list of files gave it.
std::optional<Error> mismatch_of(const Image& image, const MemoryReader& memory,
                                 lldb::SBModule module) {
  const BuildIds in_memory = build_ids_in_memory(memory, image.range.begin);
  const BuildIds in_file = build_ids_of(*image.file);
  const auto differ = [&](std::string_view kind, const std::string& ran, const std::string& have) {
    return Error{ErrorCode::not_found,
                 image.path + " is not the file the process ran: its " + std::string(kind) + " is " +
                     have + ", the process has " + ran};
  };
  if (in_memory.gnu && in_file.gnu && *in_memory.gnu != *in_file.gnu)
    return differ("build id", *in_memory.gnu, *in_file.gnu);
  if (in_memory.go && in_file.go && *in_memory.go != *in_file.go)
    return differ("Go build id", *in_memory.go, *in_file.go);
  const std::string known = module_id(module);
  if (!in_memory.gnu && in_file.gnu && known.size() == in_file.gnu->size() && known != *in_file.gnu)
    return differ("build id", known, *in_file.gnu);
  return std::nullopt;
}

std::optional<Image> image_of(lldb::SBModule module, lldb::SBTarget target,
                              const MemoryReader& memory) {
  const auto bias = bias_of(module, target);
  if (!bias) return std::nullopt;
  Image image;
  image.bias = *bias;
  image.path = path_of(module.GetPlatformFileSpec());
  const std::string local = path_of(module.GetFileSpec());
  if (image.path.empty()) image.path = local;
  image.range = range_of_sections(module, target);
  const bool in_memory_only = image.path.find('[') != std::string::npos;
  auto file = in_memory_only ? file_from_memory(memory, image.range, image.path)
                             : ElfFile::open(local);
  if (!file) return image;
  const AddressRange from_sections = image.range;
  image.file = *std::move(file);
  image.range = range_of_file(*image.file, image.bias);
  if (in_memory_only) return image;
  image.mismatch = mismatch_of(image, memory, module);
  if (image.mismatch) image.range = from_sections;
  return image;
}

}  // namespace

BuildIds build_ids_in_memory(const MemoryReader& memory, Address base) {
  BuildIds ids;
  Elf64_Ehdr header{};
  if (!memory.read(base, std::as_writable_bytes(std::span(&header, 1)))) return ids;
  if (!std::equal(ELFMAG, ELFMAG + SELFMAG, header.e_ident)) return ids;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > 128) return ids;
  std::optional<std::uint64_t> first_load;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  const auto table = checked_add(base, header.e_phoff);
  if (!table || !memory.read(*table, std::as_writable_bytes(std::span(segments)))) return ids;
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_type == PT_LOAD && !first_load) first_load = segment.p_vaddr - segment.p_offset;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_NOTE) continue;
    const Address at{base.value + segment.p_vaddr - first_load.value_or(0)};
    const auto notes = read_bytes(memory, at, segment.p_memsz, kMaxNoteBytes);
    if (notes) take_ids(ids, ByteView(*notes), segment.p_align);
  }
  return ids;
}

BuildIds build_ids_of(const ElfFile& file) {
  BuildIds ids;
  for (const ElfSegment& segment : file.segments()) {
    if (segment.type != PT_NOTE || segment.file_bytes > kMaxNoteBytes) continue;
    const auto notes = file.bytes_at(segment.file_address, segment.file_bytes);
    if (notes) take_ids(ids, ByteView(*notes), 4);
  }
  if (!ids.gnu) ids.gnu = file.build_id();
  return ids;
}

std::vector<Image> images_of(lldb::SBTarget target, const MemoryReader& memory) {
  std::vector<Image> images;
  for (std::uint32_t i = 0; i < target.GetNumModules(); ++i)
    if (auto image = image_of(target.GetModuleAtIndex(i), target, memory))
      images.push_back(*std::move(image));
  return images;
}

std::uint64_t module_generation(lldb::SBTarget target) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a.
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  const std::uint32_t modules = target.GetNumModules();
  add(modules);
  for (std::uint32_t i = 0; i < modules; ++i)
    add(target.GetModuleAtIndex(i).GetObjectFileHeaderAddress().GetLoadAddress(target));
  return hash;
}

}  // namespace cgo
