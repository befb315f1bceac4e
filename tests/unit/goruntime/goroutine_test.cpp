#include "goruntime/goroutine.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "goruntime/layout_table.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kG{0xc000002000};
constexpr Address kM{0xc000100000};

Address at(Address base, FieldOffset field) { return {base.value + field.bytes}; }

MemoryImage zeroes(Address from, std::uint32_t bytes) {
  MemoryImage memory;
  for (std::uint32_t i = 0; i < bytes; ++i) memory.u8({from.value + i}, 0);
  return memory;
}

MemoryImage goroutine_image(const GLayout& layout) {
  MemoryImage memory = zeroes(kG, layout.bytes);
  memory.u64(at(kG, layout.stack_lo), 0xc000010000)
      .u64(at(kG, layout.stack_hi), 0xc000012000)
      .u64(at(kG, layout.m), 0xabc000)
      .u64(at(kG, layout.sched_sp), 0x51)
      .u64(at(kG, layout.sched_pc), 0x52)
      .u64(at(kG, layout.sched_bp), 0x53)
      .u64(at(kG, layout.syscallsp), 0x61)
      .u64(at(kG, layout.syscallpc), 0x62)
      .u32(at(kG, layout.atomicstatus), 0x1004)
      .u64(at(kG, layout.goid), 77)
      .u64(at(kG, layout.waitsince), 123456789)
      .u8(at(kG, layout.waitreason), 14)
      .u64(at(kG, layout.lockedm), 0xdef000)
      .u64(at(kG, layout.gopc), 0x401000)
      .u64(at(kG, layout.startpc), 0x402000)
      .u64(at(kG, layout.labels), 0xc000999000);
  if (layout.syscallbp) memory.u64(at(kG, *layout.syscallbp), 0x63);
  if (layout.parent_goid) memory.u64(at(kG, *layout.parent_goid), 7);
  return memory;
}

}  // namespace

TEST_CASE("a g is decoded with the layout of every release") {
  for (const VersionedLayout& row : layout_rows_amd64()) {
    CAPTURE(format_go_version(row.first));
    const auto g = decode_goroutine(goroutine_image(row.g), row.g, kG);
    REQUIRE(g);
    CHECK(g->address == kG);
    CHECK(g->id == 77);
    CHECK(g->stack == AddressRange{{0xc000010000}, {0xc000012000}});
    CHECK(g->m == Address{0xabc000});
    CHECK(g->sched.sp == Address{0x51});
    CHECK(g->sched.pc == Address{0x52});
    CHECK(g->sched.bp == Address{0x53});
    CHECK(g->syscall.sp == Address{0x61});
    CHECK(g->syscall.pc == Address{0x62});
    CHECK(g->syscall.bp == Address{row.g.syscallbp ? 0x63u : 0u});
    CHECK(g->status == GStatus::waiting);
    CHECK(g->scanning);
    CHECK(g->wait_reason == 14);
    CHECK(g->wait_since_ns == 123456789);
    CHECK(g->locked_m == Address{0xdef000});
    CHECK(g->created_by_pc == Address{0x401000});
    CHECK(g->start_pc == Address{0x402000});
    CHECK(g->labels == Address{0xc000999000});
    CHECK(g->parent_id == (row.g.parent_goid ? std::optional<std::uint64_t>(7) : std::nullopt));
  }
}

TEST_CASE("decode_goroutine reports every missing byte at its address") {
  const GLayout layout = layout_rows_amd64().back().g;
  const MemoryImage whole = goroutine_image(layout);
  for (Address hole : whole.addresses()) {
    const auto g = decode_goroutine(whole.drop(hole), layout, kG);
    REQUIRE_FALSE(g);
    CHECK(g.error().address == hole);
  }
}

TEST_CASE("stack bounds that make no sense are refused, but a dead g has no stack") {
  const GLayout layout = layout_rows_amd64().back().g;
  const auto with = [&](std::uint64_t lo, std::uint64_t hi, std::uint32_t status) {
    MemoryImage memory = goroutine_image(layout);
    memory.u64(at(kG, layout.stack_lo), lo).u64(at(kG, layout.stack_hi), hi);
    memory.u32(at(kG, layout.atomicstatus), status);
    return decode_goroutine(memory, layout, kG);
  };
  CHECK_FALSE(with(0x2000, 0x2000, 4));
  CHECK_FALSE(with(0x3000, 0x2000, 4));
  CHECK_FALSE(with(0x10, 0x2000, 4));
  CHECK_FALSE(with(0x2000, ~0ull, 4));
  CHECK_FALSE(with(0, 0, 4));
  CHECK(with(0, 0, 6));
  CHECK(with(0, 0, 0));
  CHECK(with(0, 0, 4).error().code == ErrorCode::malformed_data);
}

TEST_CASE("states have the runtime's names") {
  CHECK(format_status(GStatus::waiting) == "waiting");
  CHECK(format_status(GStatus::deadextra) == "deadextra");
  CHECK(format_status(static_cast<GStatus>(17)) == "status 17");
}

TEST_CASE("an m is decoded with the layout of every release") {
  for (const VersionedLayout& row : layout_rows_amd64()) {
    CAPTURE(format_go_version(row.first));
    const MLayout& layout = row.m;
    MemoryImage memory = zeroes(kM, layout.bytes);
    memory.u64(at(kM, layout.g0), 0x11)
        .u64(at(kM, layout.procid), 4711)
        .u64(at(kM, layout.gsignal), 0x12)
        .u64(at(kM, layout.curg), 0x13)
        .u64(at(kM, layout.id), 5)
        .u8(at(kM, layout.incgo), 1)
        .u32(at(kM, layout.ncgo), 2)
        .u64(at(kM, layout.alllink), 0x14)
        .u64(at(kM, layout.lockedg), 0x15)
        .u64(at(kM, layout.vdso_sp), 0x16)
        .u64(at(kM, layout.vdso_pc), 0x17);
    if (layout.isextra) memory.u8(at(kM, *layout.isextra), 1);
    const auto m = decode_machine(memory, layout, kM);
    REQUIRE(m);
    CHECK(m->procid == 4711);
    CHECK(m->id == 5);
    CHECK(m->g0 == Address{0x11});
    CHECK(m->gsignal == Address{0x12});
    CHECK(m->curg == Address{0x13});
    CHECK(m->next == Address{0x14});
    CHECK(m->locked_g == Address{0x15});
    CHECK(m->vdso_sp == Address{0x16});
    CHECK(m->vdso_pc == Address{0x17});
    CHECK(m->in_cgo);
    CHECK(m->ncgo == 2);
    CHECK(m->is_extra == layout.isextra.has_value());
    CHECK_FALSE(m->is_extra_in_c);
  }
}

TEST_CASE("decode_machine reports every missing byte at its address") {
  const MLayout layout = layout_rows_amd64().front().m;
  const MemoryImage whole = zeroes(kM, layout.bytes);
  for (Address hole : whole.addresses()) {
    const auto m = decode_machine(whole.drop(hole), layout, kM);
    REQUIRE_FALSE(m);
    CHECK(m.error().address == hole);
  }
}

}  // namespace cgo
