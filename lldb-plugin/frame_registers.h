#pragma once

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <optional>

namespace cgo {

/// A register of a frame that LLDB has, by LLDB's name; nothing where its value is not known.
std::optional<std::uint64_t> register_of(lldb::SBFrame frame, const char* name);
/// The low eight bytes of a wide register.
std::optional<std::uint64_t> low_half_of(lldb::SBFrame frame, const char* name);

}  // namespace cgo
