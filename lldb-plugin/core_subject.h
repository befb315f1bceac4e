#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lldb-plugin/subject.h"

namespace cgo {

/// Opens a core (the kernel's, gcore's, or LLDB's minidump) without LLDB: no symbol table is read
/// that no question needs, so the first answer comes in milliseconds. `exe` is the program, where
/// the path in the core does not lead to it; empty for none. Fails when `path` is no core that can
/// be read this way; a core of another program is opened, and its provenance says so.
Result<std::unique_ptr<Subject>> open_core_subject(const std::string& path, const std::string& exe);

}  // namespace cgo
