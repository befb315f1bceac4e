#pragma once

#include <memory>
#include <string>

#include "lldb-plugin/subject.h"

namespace cgo {

/// Opens a program or library that does not run: one image at its own file addresses, no thread.
/// For commands that ask of code and debug information alone.
Result<std::unique_ptr<Subject>> open_program_subject(const std::string& path);

}  // namespace cgo
