#include "target/core_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "target/core_notes.h"
#include "target/elf_layout.h"
#include "target/mapped_file.h"
#include "target/segment_memory.h"

namespace cgo {
namespace {

AddressRange range_of(const ElfSegment& segment, std::uint64_t bytes) {
  const auto end = checked_add(segment.file_address, bytes);
  return end ? AddressRange{segment.file_address, *end} : AddressRange{};
}

SegmentMemory memory_in(ByteView file, const ElfLayout& layout) {
  SegmentMemory memory;
  for (const ElfSegment& segment : layout.segments) {
    if (!segment.loaded()) continue;
    const ByteView bytes = stored_bytes(file, segment);
    memory.add(segment.file_address,
               bytes.first(std::min<std::uint64_t>(bytes.size(), segment.memory_bytes)));
  }
  memory.build();
  return memory;
}

std::vector<Mapping> mappings_of(const ElfLayout& layout,
                                 const std::vector<CoreMappedFile>& files) {
  std::vector<IntervalMap<std::size_t>::Entry> entries;
  for (std::size_t i = 0; i < files.size(); ++i) entries.push_back({files[i].range, i});
  const IntervalMap<std::size_t> by_address(std::move(entries));
  std::vector<Mapping> mappings;
  for (const ElfSegment& segment : layout.segments) {
    if (!segment.loaded()) continue;
    Mapping mapping{.range = range_of(segment, segment.memory_bytes),
                    .readable = (segment.flags & PF_R) != 0,
                    .writable = segment.writable(),
                    .executable = segment.executable()};
    if (mapping.range.empty()) continue;
    if (const auto* piece = by_address.find(mapping.range.begin)) {
      const CoreMappedFile& file = files[piece->value];
      mapping.path = file.path;
      mapping.file_offset = file.file_offset + (mapping.range.begin.value - file.range.begin.value);
    }
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

std::optional<CoreCut> cut_of(ByteView file, const ElfLayout& layout) {
  CoreCut cut{.file_bytes = file.size()};
  for (const ElfSegment& segment : layout.segments) {
    const std::uint64_t missing = segment.file_bytes - stored_bytes(file, segment).size();
    const std::uint64_t end = segment.file_offset + segment.file_bytes;
    if (missing == 0 || end < segment.file_offset) continue;
    cut.expected_bytes = std::max(cut.expected_bytes, end);
    if (segment.loaded()) cut.missing_memory_bytes += missing;
    if (segment.type == PT_NOTE) cut.notes = true;
  }
  if (cut.expected_bytes <= cut.file_bytes) return std::nullopt;
  return cut;
}

}  // namespace

std::string CoreCut::text() const {
  const auto percent = file_bytes / std::max<std::uint64_t>(1, expected_bytes / 100);
  std::string text = "the core is cut: " + std::to_string(file_bytes) + " of " +
                     std::to_string(expected_bytes) + " bytes (" + std::to_string(percent) +
                     "%), " + std::to_string(missing_memory_bytes) + " bytes of memory are missing";
  if (notes) text += ", and so may be threads";
  return text;
}

struct CoreFile::State {
  template <class Contents>
  State(std::string path_, Contents contents_)
      : path(std::move(path_)), contents(std::move(contents_)), file(contents.bytes()) {}

  Result<void> read() {
    auto read = read_elf_layout(file, path);
    if (!read) return std::move(read).error();
    const ElfLayout& layout = *read;
    if (layout.type != ET_CORE)
      return Error{ErrorCode::malformed_data, path + ": an ELF file, but not a core"};
    arch = arch_for_elf_machine(layout.machine);
    if (!arch)
      return Error{ErrorCode::unsupported, path +
                                               ": a core of a CPU that is not supported (ELF "
                                               "machine " +
                                               std::to_string(layout.machine) + ")"};
    read_notes(layout);
    memory = memory_in(file, layout);
    mappings = mappings_of(layout, notes.files);
    cut = cut_of(file, layout);
    return {};
  }

  void read_notes(const ElfLayout& layout) {
    std::uint64_t left = file.size();  // Segments that overlap must not multiply the work.
    for (const ElfSegment& segment : layout.segments) {
      if (segment.type != PT_NOTE) continue;
      const ByteView part = stored_bytes(file, segment);
      if (part.size() > left) return;
      left -= part.size();
      read_core_notes(part, segment.alignment, *arch, notes);
    }
  }

  std::string path;
  FileContents contents;
  ByteView file;
  const ArchInfo* arch = nullptr;
  CoreNotes notes;
  SegmentMemory memory;
  std::vector<Mapping> mappings;
  std::optional<CoreCut> cut;
};

CoreFile::CoreFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CoreFile::~CoreFile() = default;

Result<std::shared_ptr<const CoreFile>> CoreFile::open(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return std::move(mapped).error();
  return finish(std::make_unique<State>(path, *std::move(mapped)));
}

Result<std::shared_ptr<const CoreFile>> CoreFile::from_bytes(std::vector<std::byte> bytes,
                                                             std::string name) {
  return finish(std::make_unique<State>(std::move(name), std::move(bytes)));
}

Result<std::shared_ptr<const CoreFile>> CoreFile::finish(std::unique_ptr<State> state) {
  auto read = state->read();
  if (!read) return std::move(read).error();
  return std::shared_ptr<const CoreFile>(new CoreFile(std::move(state)));
}

const std::string& CoreFile::path() const { return state_->path; }
const ArchInfo& CoreFile::arch() const { return *state_->arch; }
std::span<const CoreThread> CoreFile::threads() const { return state_->notes.threads; }
const std::optional<CoreProcess>& CoreFile::process() const { return state_->notes.process; }
std::span<const CoreMappedFile> CoreFile::mapped_files() const { return state_->notes.files; }
std::span<const Mapping> CoreFile::mappings() const { return state_->mappings; }
std::optional<CoreCut> CoreFile::cut() const { return state_->cut; }

Result<void> CoreFile::read(Address from, std::span<std::byte> out) const {
  return state_->memory.read(from, out);
}

std::optional<std::uint64_t> CoreFile::auxv(std::uint64_t type) const {
  for (const auto& [key, value] : state_->notes.auxv)
    if (key == type) return value;
  return std::nullopt;
}

Result<CoreExecutable> CoreFile::executable() const {
  const auto headers = auxv(AT_PHDR);
  if (!headers)
    return Error{ErrorCode::not_found, path() + ": no auxiliary vector that names the program"};
  // The program headers lie in the page of the ELF header: behind it, by every linker.
  const Address base{*headers & ~std::uint64_t{4095}};
  auto elf = mapped_elf_at(*this, base);
  if (!elf) return std::move(elf).error().in("program headers of the executable");
  CoreExecutable found{.base = base, .elf = *std::move(elf)};
  for (const CoreMappedFile& file : mapped_files())
    if (file.range.contains(base)) found.path = file.path;
  return found;
}

std::optional<Error> mismatch(const CoreExecutable& executable, const ElfFile& file) {
  const auto& core_id = executable.elf.build_id;
  if (!core_id || core_id == file.build_id()) return std::nullopt;
  return Error{ErrorCode::malformed_data, file.path() +
                                              " is not the program of this core: build id " +
                                              file.build_id().value_or("(none)") +
                                              ", but the core was written by " + *core_id};
}

}  // namespace cgo
