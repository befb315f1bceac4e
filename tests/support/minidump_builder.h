#pragma once

#include <cstddef>
#include <vector>

namespace cgo {

/// A minidump as LLDB writes it for a process (pid 10) with two threads: 12, and 11 which stopped
/// with signal 11 at 0x400010. One module "/bin/pé" with build id "abc" at 0x400000; memory at
/// 0x7000 ("stack bytes", 32-bit list) and at 0x500000 ("first "), 0x500006 ("next") (64-bit list).
std::vector<std::byte> small_minidump();

}  // namespace cgo
