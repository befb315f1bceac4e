#pragma once

#include <algorithm>
#include <thread>

#include "lldb-plugin/subject.h"
#include "owners/heap_snapshot.h"

namespace cgo {

/// What a snapshot of a stop is made from; the stop must outlive it.
inline HeapSnapshot::Sources heap_sources(const Stop& stop) {
  return {.debuggee = *stop.debuggee,
          .runtimes = stop.program->runtimes,
          .unwinder = *stop.unwinder,
          .images = *stop.program->images,
          .dwarf = stop.program->dwarf,
          .symbolizer = *stop.program->symbolizer,
          .threads = stop.parallel ? std::max(1u, std::thread::hardware_concurrency()) : 1};
}

}  // namespace cgo
