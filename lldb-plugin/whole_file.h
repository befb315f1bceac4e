#pragma once

#include <string>
#include <string_view>

#include "target/result.h"

namespace cgo {

/// `path` has `contents` afterwards, or is as it was: they are written into a file beside it that
/// then takes its name. What is no file (a device, a pipe) is written to directly. A link's target
/// is replaced, and the link stays.
Result<void> write_whole_file(const std::string& path, std::string_view contents);

/// Writes all of `text` to an open file; errno of what went wrong, or 0.
int write_all(int file, std::string_view text);

/// `path` with the user's home folder for "~/", which LLDB does not put there as a shell does.
std::string with_home(const std::string& path);

}  // namespace cgo
