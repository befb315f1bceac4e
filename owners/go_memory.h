#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "goruntime/gc_heap.h"
#include "goruntime/gc_layout.h"
#include "goruntime/gc_places.h"
#include "goruntime/gc_specials.h"
#include "goruntime/go_runtime.h"
#include "target/debuggee.h"
#include "unwind/unwinder.h"

namespace cgo {

// owners/ tells who holds what: which Go objects are reached, from which roots, and by which path.
// It reads memory alone, and decides nothing about whether a block is a leak.

/// The heap of one Go runtime at one stop, and what is needed to read on from there. What it refers
/// to must outlive it.
struct GoMemory {
  const Debuggee& debuggee;
  const GoRuntime& runtime;
  const Unwinder& unwinder;
  GcLayout layout;
  GcPlaces places;
  GcHeap heap;
  GcSpecials specials;

  const MemoryReader& memory() const { return debuggee.memory(); }
};

/// Debug information tells the layout where there is some, else the release does. Fails when the
/// list of spans cannot be read; what is less than that is in the problems of the parts.
Result<GoMemory> read_go_memory(const Debuggee& debuggee, const GoRuntime& runtime,
                                const Unwinder& unwinder, const DwarfSource& dwarf,
                                GcHeap::Marks marks = GcHeap::Marks::where_needed);

/// The layout alone.
Result<GcLayout> gc_layout_of(const GoRuntime& runtime, const ImageMap& images,
                              const DwarfSource& dwarf);

}  // namespace cgo
