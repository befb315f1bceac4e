#pragma once

#include <cstdint>
#include <string>

#include "stops/fault.h"
#include "stops/stack_overflow.h"

namespace cgo {

/// "SEGV_MAPERR"; empty for a code without a name.
std::string signal_code_name(int number, int code);
/// "read", "write", "execute"; null for unknown.
const char* name_of(Fault::Access access);
/// "thread", "main", "alternate", "mapping".
const char* name_of(CStack::Kind kind);
/// "8,388,608".
std::string with_separators(std::uint64_t number);

}  // namespace cgo
