#include "lldb-plugin/image_check.h"

#include <elf.h>

#include "target/elf_notes.h"
#include "target/memory_elf.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMaxNoteBytes = 64 * 1024;
// Source: src/cmd/link/internal/ld/elf.go, ELF_NOTE_GOBUILDID_TAG.
constexpr std::uint32_t kGoBuildIdNote = 4;

void take_ids(BuildIds& ids, ByteView bytes, std::uint64_t alignment) {
  ElfNotes notes(bytes, alignment);
  while (const auto note = notes.next()) {
    if (note->owner == "GNU" && note->type == NT_GNU_BUILD_ID && !ids.gnu)
      ids.gnu = hex_digits(note->description);
    if (note->owner == "Go" && note->type == kGoBuildIdNote && !ids.go)
      ids.go = std::string(reinterpret_cast<const char*>(note->description.data()),
                           note->description.size());
  }
}

}  // namespace

BuildIds build_ids_in_memory(const MemoryReader& memory, Address base) {
  BuildIds ids;
  const auto mapped = mapped_elf_at(memory, base);
  if (!mapped) return ids;
  ids.gnu = mapped->build_id;
  for (const ElfSegment& segment : mapped->segments) {
    if (segment.type != PT_NOTE) continue;
    const Address at = wrapping_add(segment.file_address, mapped->bias);
    const auto notes = read_bytes(memory, at, segment.file_bytes, kMaxNoteBytes);
    if (notes) take_ids(ids, *notes, 4);
  }
  return ids;
}

BuildIds build_ids_of(const ElfFile& file) {
  BuildIds ids;
  for (const ElfSegment& segment : file.segments()) {
    if (segment.type != PT_NOTE || segment.file_bytes > kMaxNoteBytes) continue;
    const auto notes = file.bytes_at(segment.file_address, segment.file_bytes);
    if (notes) take_ids(ids, *notes, 4);
  }
  if (!ids.gnu) ids.gnu = file.build_id();
  return ids;
}

std::optional<Error> file_mismatch(const std::string& path, const ElfFile& file,
                                   const MemoryReader& memory, Address base,
                                   const std::optional<std::string>& known_id) {
  const BuildIds ran = build_ids_in_memory(memory, base);
  const BuildIds have = build_ids_of(file);
  const auto differ = [&](const char* kind, const std::string& of_process,
                          const std::string& of_file) {
    return Error{ErrorCode::not_found, path + " is not the file the process ran: its " + kind +
                                           " is " + of_file + ", the process has " + of_process};
  };
  const std::optional<std::string>& gnu = ran.gnu ? ran.gnu : known_id;
  if (gnu && have.gnu && *gnu != *have.gnu) return differ("build id", *gnu, *have.gnu);
  if (ran.go && have.go && *ran.go != *have.go) return differ("Go build id", *ran.go, *have.go);
  return std::nullopt;
}

}  // namespace cgo
