#pragma once

#include "heap/c_heap.h"
#include "support/glibc_heap_builder.h"

namespace cgo {

inline GlibcLayout layout() { return *glibc_layout_for({2, 36}); }

inline CHeap heap_of(const MemoryReader& memory, const GlibcHeapBuilder& build,
                     std::uint64_t most_chunks = 1000) {
  return CHeap({.memory = &memory,
                .mappings = &build.mappings(),
                .layout = layout(),
                .main_arena = GlibcHeapBuilder::kArena,
                .thread_pointers = {GlibcHeapBuilder::kThread},
                .every_thread = true,
                .neighbours = {},
                .most_chunks = most_chunks});
}

/// Blocks of two arenas, some of them freed in each way.
struct Blocks {
  GlibcHeapBuilder build;
  Address lives, cached, same_size, before_fast, fast, binned, behind, other, other_freed;
  Blocks() {
    lives = build.add(0x30);
    cached = build.add(0x50);
    build.add(0x20);
    same_size = build.add(0x50);
    before_fast = build.add(0x20);
    fast = build.add(0x40);
    build.add(0x20);
    binned = build.add(0x800);
    behind = build.add(0x90);
    other = build.add_to_other(0x100);
    other_freed = build.add_to_other(0x900);
    build.add_to_other(0x20);
    build.finish();
    build.free_to_cache(cached);
    build.free_to_fast_bin(fast);
    build.free_to_bin(binned);
    build.free_to_bin(other_freed);
  }
};

}  // namespace cgo
