#pragma once

#include <string>

#include "lldb-plugin/stack_collection.h"
#include "lldb-plugin/subject.h"

namespace cgo {

/// What the thread of a panic holds, in lines for people, each indented: its pthread mutexes; and,
/// where a recover in the physical frame `recovers_in` would skip frames of C, the blocks of malloc
/// that only those lead to. Searches the writable memory of the process, up to a bound.
std::string holdings_text(const Stop& stop, const CollectedStack& panicking,
                          std::optional<std::size_t> recovers_in);

}  // namespace cgo
