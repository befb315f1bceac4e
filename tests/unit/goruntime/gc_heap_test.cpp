#include "goruntime/gc_heap.h"

#include <catch2/catch_test_macros.hpp>

#include "goruntime/gc_specials.h"
#include "support/memory_image.h"

namespace cgo {
namespace {

constexpr Address kMheap{0x10000}, kList{0x20000}, kSpan{0x30000}, kAlloc{0x40000}, kMarks{0x50000},
    kSpecial{0x60000};
constexpr std::uint64_t kBase = 0xc000000000;
constexpr GoVersion kVersion{27, 0};

GcLayout layout() {
  GcLayout out = *gc_layout_from_table(kVersion, "go1.27");
  out.sweepgen = {0};
  out.allspans = {8};
  out.inline_marks = false;
  return out;
}

/// One page of 48-byte elements with pointers: two are allocated by freeindex, number 5 by its bit;
/// number 1 and 5 are marked. `age` is added to the sweepgen of the heap.
MemoryImage heap(std::uint32_t age = 0, std::uint16_t free_index = 2) {
  MemoryImage image;
  image.u32(kMheap, 10);
  image.pointer({kMheap.value + 8}, kList).u64({kMheap.value + 16}, 1).u64({kMheap.value + 24}, 1);
  image.pointer(kList, kSpan);
  for (std::uint64_t at = 0; at < 160; at += 8) image.u64({kSpan.value + at}, 0);
  image.u64({kSpan.value + 24}, kBase).u64({kSpan.value + 32}, 1);
  image.u8({kSpan.value + 48}, static_cast<std::uint8_t>(free_index)).u8({kSpan.value + 50}, 170);
  image.pointer({kSpan.value + 64}, kAlloc).pointer({kSpan.value + 72}, kMarks);
  image.u32({kSpan.value + 88}, 10 + age);
  image.u8({kSpan.value + 98}, 5 << 1).u8({kSpan.value + 99}, 1).u64({kSpan.value + 104}, 48);
  for (std::uint64_t at = 0; at < 24; at += 8) {
    image.u64({kAlloc.value + at}, at == 0 ? 0b0010'0000 : 0);
    image.u64({kMarks.value + at}, at == 0 ? 0b0010'0010 : 0);
  }
  return image;
}

GcHeap read(const MemoryImage& image, GcHeap::Marks marks = GcHeap::Marks::where_needed) {
  auto read = GcHeap::read(image, layout(), kMheap, marks);
  REQUIRE(read);
  return *std::move(read);
}

std::vector<std::uint64_t> allocated(const GcHeap& heap) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < heap.object_limit(); ++i)
    if (heap.allocated(i)) out.push_back(i);
  return out;
}

TEST_CASE("objects of a swept span are those below freeindex and those with a bit") {
  const GcHeap found = read(heap(), GcHeap::Marks::all);
  CHECK(found.problems().empty());
  CHECK(allocated(found) == std::vector<std::uint64_t>{0, 1, 5});
  CHECK(found.marked().count() == 2);
  CHECK(found.object_at({kBase + 5 * 48 + 47}) == 5);
  CHECK(found.object_at({kBase + 6 * 48}) == std::nullopt);
  CHECK(found.element_at({kBase + 170 * 48}) == std::nullopt);
  CHECK(found.object_at({kBase - 1}) == std::nullopt);
  CHECK(found.element(5) == AddressRange{{kBase + 240}, {kBase + 288}});
}

TEST_CASE("what is not marked in a span that was not swept is free") {
  for (const std::uint32_t age : {std::uint32_t{0} - 2, std::uint32_t{1}}) {
    const GcHeap found = read(heap(age));
    CHECK(allocated(found) == std::vector<std::uint64_t>{1, 5});
    CHECK(found.unswept_spans() == 1);
    CHECK(found.uncertain_spans() == 0);
  }
}

TEST_CASE("in the middle of a sweep old marks or new bits tell, or nothing does") {
  const std::uint32_t in_sweep = std::uint32_t{0} - 1;
  CHECK(allocated(read(heap(in_sweep))) == std::vector<std::uint64_t>{1, 5});
  MemoryImage moved = heap(in_sweep, 0);
  moved.u64(kMarks, 0);
  const GcHeap found = read(moved);
  CHECK(allocated(found) == std::vector<std::uint64_t>{5});
  CHECK(found.uncertain_spans() == 1);
}

TEST_CASE("a span that contradicts itself is left out and named") {
  MemoryImage image = heap();
  image.u64({kSpan.value + 104}, 4096 * 4);
  const GcHeap found = read(image);
  CHECK(found.spans().empty());
  REQUIRE(found.lost_spans() == 1);
  CHECK(found.problems().front().address == kSpan);
}

TEST_CASE("pages without an end take no memory") {
  MemoryImage image = heap();
  image.u64({kSpan.value + 32}, std::uint64_t{1} << 33);
  const GcHeap found = read(image);
  REQUIRE(found.spans().size() == 1);
  CHECK(found.span_at({kBase + (std::uint64_t{1} << 40)}) == &found.spans().front());
  CHECK(found.object_at({kBase + (std::uint64_t{1} << 40)}) == std::nullopt);
}

TEST_CASE("every missing byte of the heap is a problem or an error, or does not matter") {
  const MemoryImage whole = heap();
  const auto all = allocated(read(whole));
  for (const Address hole : whole.addresses()) {
    const MemoryImage image = whole.drop(hole);
    const auto found = GcHeap::read(image, layout(), kMheap);
    if (!found) continue;
    if (found->problems().empty())
      CHECK(allocated(*found) == all);
    else
      CHECK(allocated(*found).empty());
  }
}

TEST_CASE("a list of specials gives objects and what they keep, and ends") {
  MemoryImage image = heap();
  image.pointer({kSpan.value + 120 + 8}, kSpecial);
  for (std::uint64_t at = 0; at < 64; at += 8) image.u64({kSpecial.value + at}, 0);
  image.u64({kSpecial.value + 8}, 5 * 48 + 8).u8({kSpecial.value + 16}, 2);
  const GcHeap found = read(image);
  const GcSpecials specials = read_specials(image, layout(), kVersion, found);
  REQUIRE(specials.found.size() == 1);
  CHECK(specials.problems.empty());
  CHECK(specials.found[0].kind == SpecialKind::finalizer);
  CHECK(specials.found[0].object == 5);
  CHECK(specials.found[0].roots == AddressRange{{kSpecial.value + 24}, {kSpecial.value + 32}});
  image.pointer(kSpecial, kSpecial);
  CHECK(read_specials(image, layout(), kVersion, found).problems.size() == 1);
}

}  // namespace
}  // namespace cgo
