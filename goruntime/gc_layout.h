#pragma once

#include <cstdint>
#include <string_view>

#include "goruntime/layout.h"

namespace cgo {

/// Where the garbage collector keeps what it knows of the heap and of its roots.
struct GcLayout {
  /// How a heap remembers which words are pointers. Source: src/runtime/mbitmap.go of each release.
  enum class HeapBits : std::uint8_t {
    two_bits,  ///< heapArena.bitmap, two bits a word; up to 1.19.
    one_bit,   ///< heapArena.bitmap and noMorePtrs; 1.20 and 1.21.
    headers,   ///< The end of the span for small objects, a type in front of others; since 1.22.
  };
  HeapBits heap_bits = HeapBits::headers;
  /// Spans of small objects keep their marks in themselves: the Green Tea collector.
  bool inline_marks = false;

  // runtime.mheap, runtime.heapArena:
  FieldOffset sweepgen, allspans, arenas;
  FieldOffset arena_spans;
  OptionalField arena_bitmap, arena_no_more_pointers;

  // runtime.mspan:
  std::uint32_t span_bytes = 0;
  std::uint32_t index_bytes = 8;  ///< Of nelems and freeindex; 2 since 1.22.
  FieldOffset start, pages, elements, free_index, alloc_bits, mark_bits, span_sweepgen, span_class,
      state, element_bytes, specials;
  OptionalField pinner_bits;  ///< Since 1.21.
  OptionalField user_arena;   ///< Since 1.20.
  OptionalField large_type;   ///< Since 1.22.

  // runtime.special and what begins with it:
  FieldOffset special_next, special_offset, special_kind;
  std::uint32_t special_offset_bytes = 8;  ///< 2 up to 1.23.
  FieldOffset finalizer_function;
  OptionalField weak_handle;        ///< Since 1.23.
  OptionalField cleanup;            ///< Since 1.24: what is kept alive for it.
  std::uint32_t cleanup_bytes = 0;  ///< One pointer, or three since 1.26.

  // runtime.moduledata:
  FieldOffset data, edata, bss, ebss, rodata, data_mask, bss_mask;

  // runtime.g, runtime.p, runtime.mcache:
  FieldOffset g_context, g_defer, g_panic, g_async_safe_point;
  OptionalField g_vector_registers;  ///< Since 1.26: registers kept outside of the stack.
  std::uint32_t vector_register_bytes = 0;
  FieldOffset p_mcache, mcache_tiny;
  // runtime._defer:
  FieldOffset defer_heap, defer_function, defer_link;

  friend bool operator==(const GcLayout&, const GcLayout&) = default;
};

/// The layout the binary's debug information gives; not_found where Go's was stripped.
Result<GcLayout> gc_layout_from_dwarf(const DwarfInfo& dwarf);
/// The measured one of a release; unsupported outside of 1.19 to 1.27. `version_text` names the
/// experiments a program was built with ("go1.25.3 X:greenteagc"): one of them moves the marks.
Result<GcLayout> gc_layout_from_table(GoVersion version, std::string_view version_text);

/// What a special record says of its object.
enum class SpecialKind : std::uint8_t { finalizer, weak_handle, pin_counter, cleanup, other };
/// The meaning of a number that this release gives to kinds of specials.
SpecialKind special_kind_for(GoVersion version, std::uint8_t number);

}  // namespace cgo
