#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <lldb/API/LLDB.h>

#include "target/byte_view.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// What identifies a build: the linker's id and Go's own.
struct BuildIds {
  std::optional<std::string> gnu;  ///< Lower-case hex.
  std::optional<std::string> go;
};

/// The ids in the notes of the ELF image whose header lies at `base`; empty when they cannot be read.
BuildIds build_ids_in_memory(const MemoryReader& memory, Address base);
BuildIds build_ids_of(const ElfFile& file);

/// The images of a target, as LLDB's modules say, opened from the files LLDB uses for them. `memory`
/// must not read from those files: with it each file is checked to be the one the process ran.
std::vector<Image> images_of(lldb::SBTarget target, const MemoryReader& memory);

/// Changes whenever a module was loaded, unloaded or moved.
std::uint64_t module_generation(lldb::SBTarget target);

}  // namespace cgo
