#include "goruntime/layout_table.h"

#include <limits>

namespace cgo {
namespace {

// Source: DWARF of linux/amd64 programs built by each release, with `ptype/o` of gdb; compared
// again by the layout drift test on every release. Offsets go up and down between releases, and
// patch releases move fields too (runtime.m in 1.23.12 and 1.24.6), so every row is closed on both
// sides.
constexpr GLayout g_layout_1_19() {
  return {.bytes = 392,
          .stack_lo = {0},
          .stack_hi = {8},
          .m = {48},
          .sched_sp = {56},
          .sched_pc = {64},
          .sched_bp = {104},
          .syscallsp = {112},
          .syscallpc = {120},
          .syscallbp = std::nullopt,
          .atomicstatus = {144},
          .goid = {152},
          .waitsince = {168},
          .waitreason = {176},
          .lockedm = {232},
          .gopc = {296},
          .startpc = {312},
          .labels = {360},
          .parent_goid = std::nullopt};
}

constexpr GLayout g_layout_1_21(std::uint32_t bytes) {
  GLayout layout = g_layout_1_19();
  layout.bytes = bytes;
  layout.lockedm = {208};
  layout.gopc = {280};
  layout.startpc = {296};
  layout.labels = {344};
  layout.parent_goid = FieldOffset{272};
  return layout;
}

constexpr GLayout g_layout_1_23(std::uint32_t bytes) {
  return {.bytes = bytes,
          .stack_lo = {0},
          .stack_hi = {8},
          .m = {48},
          .sched_sp = {56},
          .sched_pc = {64},
          .sched_bp = {104},
          .syscallsp = {112},
          .syscallpc = {120},
          .syscallbp = FieldOffset{128},
          .atomicstatus = {152},
          .goid = {160},
          .waitsince = {176},
          .waitreason = {184},
          .lockedm = {216},
          .gopc = {288},
          .startpc = {304},
          .labels = {352},
          .parent_goid = FieldOffset{280}};
}

constexpr GLayout g_layout_1_25() {
  return {.bytes = 440,
          .stack_lo = {0},
          .stack_hi = {8},
          .m = {48},
          .sched_sp = {56},
          .sched_pc = {64},
          .sched_bp = {96},
          .syscallsp = {104},
          .syscallpc = {112},
          .syscallbp = FieldOffset{120},
          .atomicstatus = {144},
          .goid = {152},
          .waitsince = {168},
          .waitreason = {176},
          .lockedm = {208},
          .gopc = {280},
          .startpc = {296},
          .labels = {344},
          .parent_goid = FieldOffset{272}};
}

constexpr GLayout g_layout_1_26() {
  GLayout layout = g_layout_1_25();
  layout.bytes = 456;
  layout.gopc = {288};
  layout.startpc = {304};
  layout.labels = {352};
  layout.parent_goid = FieldOffset{280};
  return layout;
}

/// What differs in runtime.m between releases that agree on its first 300 bytes.
struct MTail {
  std::uint32_t bytes, ncgo, alllink, lockedg, vdso_sp;
};

constexpr MLayout m_layout(MTail tail, std::optional<FieldOffset> isextra = FieldOffset{281},
                           std::optional<FieldOffset> is_extra_in_c = FieldOffset{282}) {
  return {.bytes = tail.bytes,
          .g0 = {0},
          .procid = {72},
          .gsignal = {80},
          .curg = {192},
          .id = {232},
          .incgo = {280},
          .ncgo = {tail.ncgo},
          .alllink = {tail.alllink},
          .lockedg = {tail.lockedg},
          .vdso_sp = {tail.vdso_sp},
          .vdso_pc = {tail.vdso_sp + 8},
          .isextra = isextra,
          .is_extra_in_c = is_extra_in_c};
}

constexpr MLayout m_layout_1_19() {
  return m_layout({1008, 312, 336, 352, 800}, std::nullopt, std::nullopt);
}

constexpr MLayout m_layout_1_20() {
  return m_layout({1000, 312, 336, 352, 800}, FieldOffset{281}, std::nullopt);
}

/// From 1.25 on gobuf.ret is gone, and what lies behind m.morebuf moves down.
constexpr MLayout m_layout_1_25() {
  return {.bytes = 1816,
          .g0 = {0},
          .procid = {64},
          .gsignal = {72},
          .curg = {184},
          .id = {224},
          .incgo = {272},
          .ncgo = {320},
          .alllink = {344},
          .lockedg = {360},
          .vdso_sp = {896},
          .vdso_pc = {904},
          .isextra = FieldOffset{273},
          .is_extra_in_c = FieldOffset{274}};
}

constexpr MLayout m_layout_1_26(std::uint32_t bytes) {
  return {.bytes = bytes,
          .g0 = {0},
          .procid = {64},
          .gsignal = {72},
          .curg = {184},
          .id = {232},
          .incgo = {280},
          .ncgo = {328},
          .alllink = {352},
          .lockedg = {384},
          .vdso_sp = {896},
          .vdso_pc = {904},
          .isextra = FieldOffset{281},
          .is_extra_in_c = FieldOffset{282}};
}

/// Up to 1.26 types, etypes and rodata lie right before gofunc.
constexpr ModuleDataLayout moduledata_layout(std::uint32_t gofunc, std::uint32_t textsectmap,
                                             std::uint32_t pluginpath, std::uint32_t next) {
  return {.types = {gofunc - 24},
          .etypes = {gofunc - 16},
          .gofunc = {gofunc},
          .textsectmap = {textsectmap},
          .pluginpath = {pluginpath},
          .next = {next}};
}

constexpr ModuleDataLayout moduledata_layout_1_27() {
  ModuleDataLayout layout = moduledata_layout(344, 360, 408, 560);
  layout.types = {296};
  layout.etypes = {312};
  return layout;
}

// clang-format off
constexpr std::array kRowsAmd64 = {
    VersionedLayout{{19, 0}, {19, 13}, g_layout_1_19(), m_layout_1_19(), moduledata_layout(304, 312, 408, 544)},
    VersionedLayout{{20, 0}, {20, 14}, g_layout_1_19(), m_layout_1_20(), moduledata_layout(320, 328, 424, 560)},
    VersionedLayout{{21, 0}, {21, 13}, g_layout_1_21(408), m_layout({1008, 312, 336, 352, 808}), moduledata_layout(320, 328, 424, 584)},
    VersionedLayout{{22, 0}, {22, 12}, g_layout_1_21(424), m_layout({2024, 304, 328, 344, 1120}), moduledata_layout(320, 328, 424, 584)},
    VersionedLayout{{23, 0}, {23, 11}, g_layout_1_23(432), m_layout({1760, 304, 328, 344, 856}), moduledata_layout(320, 328, 424, 576)},
    VersionedLayout{{23, 12}, {23, 12}, g_layout_1_23(432), m_layout({1784, 328, 352, 368, 880}), moduledata_layout(320, 328, 424, 576)},
    VersionedLayout{{24, 0}, {24, 5}, g_layout_1_23(440), m_layout({1808, 304, 328, 344, 880}), moduledata_layout(320, 328, 424, 576)},
    VersionedLayout{{24, 6}, {24, 13}, g_layout_1_23(440), m_layout({1832, 328, 352, 368, 904}), moduledata_layout(320, 328, 424, 576)},
    VersionedLayout{{25, 0}, {25, 14}, g_layout_1_25(), m_layout_1_25(), moduledata_layout(320, 328, 424, 576)},
    VersionedLayout{{26, 0}, {26, 11}, g_layout_1_26(), m_layout_1_26(1824), moduledata_layout(320, 336, 432, 584)},
    VersionedLayout{{27, 0}, {27, 4}, g_layout_1_26(), m_layout_1_26(1832), moduledata_layout_1_27()},
};
// clang-format on

/// The row that measured `version`, or the last row of the same minor release for a patch release
/// that is newer than those; null when there is none.
const VersionedLayout* row_for(GoVersion version) {
  const VersionedLayout* last_of_minor = nullptr;
  for (const VersionedLayout& row : kRowsAmd64) {
    if (row.first <= version && version <= row.last) return &row;
    if (row.last.minor == version.minor) last_of_minor = &row;
  }
  return last_of_minor;
}

}  // namespace

std::span<const VersionedLayout> layout_rows_amd64() { return kRowsAmd64; }

Result<RuntimeLayout> layout_from_table(GoVersion version, const ArchInfo& arch) {
  const std::string release = "go" + format_go_version(version);
  if (&arch != &kAmd64)
    return Error{ErrorCode::unsupported, "no measured layouts of the Go runtime for " +
                                             std::string(arch.name) + " (" + release + ")"};
  const VersionedLayout* row = row_for(version);
  if (row == nullptr)
    return Error{ErrorCode::unsupported, "no measured layout of the Go runtime for " + release +
                                             " (the table has go" +
                                             format_go_version(kRowsAmd64.front().first) +
                                             " to go" + format_go_version(kRowsAmd64.back().last) +
                                             "); a binary with DWARF needs none"};
  return RuntimeLayout{.g = row->g,
                       .m = row->m,
                       .moduledata = row->moduledata,
                       .source = RuntimeLayout::Source::table,
                       .newer_than_measured = version > row->last};
}

}  // namespace cgo
