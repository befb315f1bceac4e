#pragma once

#include <string>
#include <vector>

#include "target/core_file.h"
#include "target/image.h"
#include "target/minidump.h"

namespace cgo {

/// The images of a core, from its list of mapped files, with the vDSO. `exe` stands for the main
/// program's file where it is not empty; a file that is not the one that ran is kept as a mismatch.
std::vector<Image> images_of_core(const CoreFile& core, const std::string& exe);
/// The same of a minidump, whose modules come from its copy of /proc/PID/maps.
std::vector<Image> images_of_minidump(const Minidump& dump, const std::string& exe);

}  // namespace cgo
