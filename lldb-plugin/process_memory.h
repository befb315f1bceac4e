#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <lldb/API/LLDB.h>

#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// The memory of one process or core, as fast as it can be read here.
struct ProcessMemory {
  std::shared_ptr<const MemoryReader> reader;
  bool parallel = false;  ///< Several threads may read at once.
  std::string how;        ///< For `cgo doctor`: where bytes come from.
  std::vector<std::string> lacks;  ///< What should be there and is not: a core cut short.
  /// Whether an address outside all images can be executed, where that is known without asking LLDB.
  std::function<bool(Address)> executable;
};

/// Memory without files of this machine behind it: what images are checked against.
std::shared_ptr<const MemoryReader> raw_process_memory(lldb::SBProcess process);

/// The sources in order of trust: code of verified images from their files (which hides breakpoint
/// instructions), then the process or core, then files for what a core lacks.
ProcessMemory process_memory(lldb::SBProcess process, std::shared_ptr<const ImageMap> images);

}  // namespace cgo
