#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "target/dwarf_file.h"

namespace cgo {

/// The .dwo and .dwp files that a file's skeleton units name, and the units read from them.
struct DwarfFile::SplitFiles {
  std::mutex mutex;
  std::unordered_map<std::string, std::unique_ptr<const DwarfFile>> files;  ///< Null: not found.
  std::unordered_map<const DwarfUnit*, std::unique_ptr<const DwarfUnit>> units;
};

}  // namespace cgo
