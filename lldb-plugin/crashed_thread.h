#pragma once

#include <optional>
#include <string>

#include "lldb-plugin/subject.h"

namespace cgo {

/// The thread on which a crash began.
struct CrashedThread {
  ThreadInfo thread;
  std::string what;  ///< "SIGSEGV at 0x0"
};

/// Of a core that shows it; nothing for a live process. Walks the innermost frames of all threads.
std::optional<CrashedThread> crashed_thread(const Stop& stop);

}  // namespace cgo
