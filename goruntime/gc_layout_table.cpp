#include <algorithm>
#include <array>

#include "goruntime/gc_layout.h"

namespace cgo {
namespace {

// Source: DWARF of linux/amd64 programs of each release, read with gdb; compared again on every
// release by the drift test. Each function is a change against the one before.
constexpr GcLayout go_1_19() {
  return {.heap_bits = GcLayout::HeapBits::two_bits,
          .inline_marks = false,
          .sweepgen = {65848},
          .allspans = {65856},
          .arenas = {65936},
          .arena_spans = {2097152},
          .arena_bitmap = FieldOffset{0},
          .arena_no_more_pointers = std::nullopt,
          .span_bytes = 144,
          .index_bytes = 8,
          .start = {24},
          .pages = {32},
          .elements = {56},
          .free_index = {48},
          .alloc_bits = {72},
          .mark_bits = {80},
          .span_sweepgen = {88},
          .span_class = {98},
          .state = {99},
          .element_bytes = {104},
          .specials = {128},
          .pinner_bits = std::nullopt,
          .user_arena = std::nullopt,
          .large_type = std::nullopt,
          .special_next = {0},
          .special_offset = {8},
          .special_kind = {10},
          .special_offset_bytes = 2,
          .finalizer_function = {16},
          .weak_handle = std::nullopt,
          .cleanup = std::nullopt,
          .cleanup_bytes = 0,
          .data = {208},
          .edata = {216},
          .bss = {224},
          .ebss = {232},
          .rodata = {296},
          .data_mask = {496},
          .bss_mask = {512},
          .g_context = {80},
          .g_defer = {40},
          .g_panic = {32},
          .g_async_safe_point = {180},
          .g_vector_registers = std::nullopt,
          .vector_register_bytes = 0,
          .p_mcache = {64},
          .mcache_tiny = {16},
          .defer_heap = {1},
          .defer_function = {24},
          .defer_link = {40}};
}

constexpr GcLayout go_1_20() {
  GcLayout out = go_1_19();
  out.heap_bits = GcLayout::HeapBits::one_bit;
  out.sweepgen = {65816};
  out.allspans = {65824};
  out.arenas = {65904};
  out.arena_spans = {1064960};
  out.arena_no_more_pointers = FieldOffset{1048576};
  out.span_bytes = 160;
  out.user_arena = FieldOffset{101};
  out.rodata = {312};
  out.data_mask = {512};
  out.bss_mask = {528};
  return out;
}

constexpr GcLayout go_1_21() {
  GcLayout out = go_1_20();
  out.sweepgen = {65856};
  out.allspans = {65864};
  out.arenas = {65944};
  out.span_bytes = 168;
  out.span_sweepgen = {96};
  out.span_class = {106};
  out.state = {107};
  out.element_bytes = {112};
  out.specials = {136};
  out.pinner_bits = FieldOffset{88};
  out.user_arena = FieldOffset{109};
  out.data_mask = {536};
  out.bss_mask = {552};
  return out;
}

constexpr GcLayout go_1_22() {
  GcLayout out = go_1_21();
  out.heap_bits = GcLayout::HeapBits::headers;
  out.arenas = {66008};
  out.arena_spans = {0};
  out.arena_bitmap = out.arena_no_more_pointers = std::nullopt;
  out.span_bytes = 160;
  out.index_bytes = 2;
  out.elements = {50};
  out.alloc_bits = {64};
  out.mark_bits = {72};
  out.span_sweepgen = {88};
  out.span_class = {98};
  out.state = {99};
  out.element_bytes = {104};
  out.specials = {128};
  out.pinner_bits = FieldOffset{80};
  out.user_arena = FieldOffset{101};
  out.large_type = FieldOffset{152};
  out.defer_heap = {0};
  out.defer_link = {32};
  return out;
}

constexpr GcLayout go_1_23() {
  GcLayout out = go_1_22();
  out.weak_handle = FieldOffset{16};
  out.g_async_safe_point = {188};
  out.p_mcache = {56};
  return out;
}

constexpr GcLayout go_1_24() {
  GcLayout out = go_1_23();
  out.special_kind = {16};
  out.special_offset_bytes = 8;
  out.finalizer_function = {24};
  out.weak_handle = FieldOffset{24};
  out.cleanup = FieldOffset{24};
  out.cleanup_bytes = 8;
  out.mcache_tiny = {24};
  return out;
}

constexpr GcLayout go_1_25() {
  GcLayout out = go_1_24();
  out.g_async_safe_point = {180};
  return out;
}

constexpr GcLayout go_1_26() {
  GcLayout out = go_1_25();
  out.inline_marks = true;
  out.cleanup_bytes = 24;
  out.data_mask = {544};
  out.bss_mask = {560};
  out.g_vector_registers = FieldOffset{400};
  out.vector_register_bytes = 2112;
  return out;
}

constexpr GcLayout go_1_27() {
  GcLayout out = go_1_26();
  out.rodata = {336};
  out.data_mask = {520};
  out.bss_mask = {536};
  return out;
}

constexpr int kFirstMinor = 19;
constexpr std::array kRows = {go_1_19(), go_1_20(), go_1_21(), go_1_22(), go_1_23(),
                              go_1_24(), go_1_25(), go_1_26(), go_1_27()};

using enum SpecialKind;
// Source: src/runtime/mheap.go, _KindSpecialFinalizer and following.
constexpr std::array kKinds1_19 = {other, finalizer, other, other};
constexpr std::array kKinds1_21 = {other, finalizer, other, other, pin_counter};
constexpr std::array kKinds1_23 = {other, finalizer, weak_handle, other, other, pin_counter};
constexpr std::array kKinds1_24 = {other, finalizer,   weak_handle, other,
                                   other, pin_counter, cleanup};
constexpr std::array kKinds1_25 = {other, other, finalizer,   weak_handle,
                                   other, other, pin_counter, cleanup};

std::span<const SpecialKind> special_kinds(GoVersion version) {
  if (version.minor >= 25) return kKinds1_25;
  if (version.minor == 24) return kKinds1_24;
  if (version.minor == 23) return kKinds1_23;
  if (version.minor >= 21) return kKinds1_21;
  return kKinds1_19;
}

}  // namespace

Result<GcLayout> gc_layout_from_table(GoVersion version, std::string_view version_text) {
  const int row = version.minor - kFirstMinor;
  if (row < 0 || row >= static_cast<int>(kRows.size()))
    return Error{ErrorCode::unsupported, "how go" + format_go_version(version) +
                                             " keeps its heap is known from debug information "
                                             "alone"};
  GcLayout out = kRows[static_cast<std::size_t>(row)];
  if (version_text.find("nogreenteagc") != std::string_view::npos)
    out.inline_marks = false;
  else if (version_text.find("greenteagc") != std::string_view::npos)
    out.inline_marks = true;
  return out;
}

SpecialKind special_kind_for(GoVersion version, std::uint8_t number) {
  const auto kinds = special_kinds(version);
  return number < kinds.size() ? kinds[number] : SpecialKind::other;
}

}  // namespace cgo
