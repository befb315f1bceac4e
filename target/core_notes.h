#pragma once

#include "target/core_file.h"
#include "target/elf_notes.h"

namespace cgo {

/// What the notes of an ELF core say; notes of unknown kinds are passed over.
struct CoreNotes {
  std::vector<CoreThread> threads;
  std::optional<CoreProcess> process;
  std::vector<CoreMappedFile> files;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> auxv;
};

/// Adds what one PT_NOTE segment says. A note that is cut or makes no sense adds nothing.
void read_core_notes(ByteView segment, std::uint64_t alignment, const ArchInfo& arch,
                     CoreNotes& notes);

}  // namespace cgo
