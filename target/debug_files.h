#pragma once

#include <memory>
#include <string>
#include <vector>

#include "target/elf.h"

namespace cgo {

/// Where separate debug information of `file` lies on this machine, in LLDB's order: build-id
/// directories, then .gnu_debuglink beside the file, in .debug, and under the debug directories.
/// The candidate's build id (or, where one of the two has none, the link's CRC) must agree.
/// not_found says where was looked. A link that names a path, not a file name, is not followed.
Result<std::shared_ptr<const ElfFile>> find_debug_file(
    const ElfFile& file, const std::vector<std::string>& debug_directories = {"/usr/lib/debug"});

}  // namespace cgo
