#include "goruntime/heap_spans.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kMheap{0x10000}, kArenas{0x7f0000000000}, kArena{0x7f1000000000},
    kSpan{0x7f2000000000}, kBits{0x7f3000000000};
constexpr std::uint64_t kHeap = 0xc000000000;

/// With mheap.arenas brought near.
GcLayout layout() {
  GcLayout out = *gc_layout_from_table({27, 0}, "go1.27.0");
  out.arenas = {16};
  return out;
}

/// One span of two pages with 48-byte elements at the beginning of the arena of 0xc000000000: the
/// first three are allocated by freeindex, of the others those whose bit is set.
MemoryImage heap(std::uint8_t state = 1) {
  MemoryImage image;
  image.pointer({kMheap.value + 16}, kArenas);
  image.pointer({kArenas.value + (kHeap + 0x800000000000) / (64 << 20) * 8}, kArena);
  const std::uint64_t first_page = kHeap / 8192 % 8192;
  image.pointer({kArena.value + first_page * 8}, kSpan);
  image.pointer({kArena.value + (first_page + 1) * 8}, kSpan);
  for (std::uint64_t at = 0; at < 160; at += 8) image.u64({kSpan.value + at}, 0);
  image.u64({kSpan.value + 24}, kHeap).u64({kSpan.value + 32}, 2);
  image.u8({kSpan.value + 48}, 3);
  image.u8({kSpan.value + 50}, 341 & 0xff).u8({kSpan.value + 51}, 341 >> 8);
  image.pointer({kSpan.value + 64}, kBits).u64({kSpan.value + 104}, 48);
  image.u8({kSpan.value + 99}, state);
  image.u8(kBits, 0b0010'0000);
  return image;
}

std::optional<HeapObject> object(const MemoryImage& memory, Address address) {
  const HeapSpans spans(layout(), kMheap);
  const auto span = spans.span_at(memory, address);
  REQUIRE(span);
  REQUIRE(*span);
  const auto found = spans.object_at(memory, **span, address);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("an address leads to the object that holds it") {
  const MemoryImage memory = heap();
  const auto second = object(memory, {kHeap + 48 + 7});
  REQUIRE(second);
  CHECK(second->range.begin == Address{kHeap + 48});
  CHECK(second->range.bytes() == 48);
  CHECK(second->allocated);
  CHECK_FALSE(object(memory, {kHeap + 3 * 48})->allocated);
  CHECK(object(memory, {kHeap + 5 * 48 + 47})->allocated);
  // 341 elements take 16,368 bytes: the last 16 belong to none.
  CHECK_FALSE(object(memory, {kHeap + 16'368}));
}

TEST_CASE("larger objects with pointers have a header in front of them since Go 1.22") {
  // Of 896 bytes: class 44, once with pointers and once without.
  for (const unsigned without : {0u, 1u}) {
    MemoryImage memory = heap();
    memory.u64({kSpan.value + 104}, 896);
    memory.u8({kSpan.value + 98}, static_cast<std::uint8_t>(44 << 1 | without));
    const auto found = object(memory, {kHeap + 896 + 8});
    REQUIRE(found);
    CHECK(found->range.begin == Address{kHeap + 896 + (without != 0 ? 0 : 8)});
    CHECK(found->range.end == Address{kHeap + 2 * 896});
    CHECK(object(memory, {kHeap + 896 + 7}).has_value() == (without != 0));
  }
}

TEST_CASE("what is not in the heap has no span") {
  const MemoryImage memory = heap();
  const HeapSpans spans(layout(), kMheap);
  for (const std::uint64_t address : {std::uint64_t{0x1000}, kHeap + 2 * 8192 + (64u << 20),
                                      std::uint64_t{0x7fff00000000}, ~std::uint64_t{0}}) {
    const auto span = spans.span_at(memory, {address});
    REQUIRE(span);
    CHECK_FALSE(*span);
  }
  const auto dead = spans.span_at(heap(0), {kHeap});
  REQUIRE(dead);
  CHECK_FALSE(*dead);
}

TEST_CASE("a span that does not hold the address is an error") {
  MemoryImage memory = heap();
  memory.u64({kSpan.value + 24}, kHeap + 8192);
  CHECK_FALSE(HeapSpans(layout(), kMheap).span_at(memory, {kHeap}));
  memory.u64({kSpan.value + 32}, ~std::uint64_t{0});
  CHECK_FALSE(HeapSpans(layout(), kMheap).span_at(memory, {kHeap}));
}

TEST_CASE("missing bytes of the heap's own structures never give an object") {
  const MemoryImage whole = heap();
  const HeapSpans spans(layout(), kMheap);
  const Address wanted{kHeap + 5 * 48};
  for (const Address hole : whole.addresses()) {
    const MemoryImage memory = whole.drop(hole);
    const auto span = spans.span_at(memory, wanted);
    if (!span || !*span) continue;
    const auto found = spans.object_at(memory, **span, wanted);
    if (found && *found) CHECK((*found)->range.begin == wanted);
  }
}

}  // namespace cgo
