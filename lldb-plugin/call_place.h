#pragma once

#include <cstdint>

#include "lldb-plugin/subject.h"

namespace cgo {

/// A thread of a stopped process on which a function of C can be called that allocates and loads:
/// it is on a stack of C with room, and no thread is where it may hold a lock of malloc or of the
/// loader. Fails with the thread that is, and where.
Result<std::uint64_t> thread_for_calls(const Stop& stop);

}  // namespace cgo
