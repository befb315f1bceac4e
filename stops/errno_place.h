#pragma once

#include <cstdint>

#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// Where a thread keeps C's errno, from its thread pointer: read from the code of
/// __errno_location, so that neither symbols of thread-local storage nor a call are needed.
/// Source: glibc csu/errno-loc.c as gcc compiles it for the initial-exec model. not_found where the
/// C library is not known or does it in another way.
Result<std::int64_t> errno_offset(const MemoryReader& memory, const ImageMap& images);

}  // namespace cgo
