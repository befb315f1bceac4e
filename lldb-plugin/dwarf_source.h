#pragma once

#include "goruntime/go_runtime.h"

namespace cgo {

/// Opens debug information of images and keeps it; files of separate debug information are found
/// where LLDB would find them. Thread-safe.
DwarfSource make_dwarf_source();

}  // namespace cgo
