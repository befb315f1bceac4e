#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// The images of a target, as LLDB's modules say, opened from the files LLDB uses for them.
/// `memory` must not read from those files: with it each file is checked to be the one the process
/// ran.
std::vector<Image> images_of(lldb::SBTarget target, const MemoryReader& memory);

/// Changes whenever a module was loaded, unloaded or moved.
std::uint64_t module_generation(lldb::SBTarget target);

/// Of the file that LLDB loaded for it; empty where there is none.
std::string path_of(lldb::SBModule module);

}  // namespace cgo
