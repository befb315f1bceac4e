#pragma once

#include <optional>
#include <string>

#include "target/elf.h"
#include "target/memory_reader.h"

namespace cgo {

/// What identifies a build: the linker's id and Go's own.
struct BuildIds {
  std::optional<std::string> gnu;  ///< Lower-case hex.
  std::optional<std::string> go;
};

/// The ids in the notes of the ELF image mapped at `base`; empty when they cannot be read.
BuildIds build_ids_in_memory(const MemoryReader& memory, Address base);
BuildIds build_ids_of(const ElfFile& file);

/// Why `file` is not the one that a process mapped at `base`, with both ids; nothing when it may
/// be. `memory` must not read from files. `known_id` is what else is known of the process's build
/// id.
std::optional<Error> file_mismatch(const std::string& path, const ElfFile& file,
                                   const MemoryReader& memory, Address base,
                                   const std::optional<std::string>& known_id);

}  // namespace cgo
