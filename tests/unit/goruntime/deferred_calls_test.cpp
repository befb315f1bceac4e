#include "goruntime/deferred_calls.h"

#include <catch2/catch_test_macros.hpp>

#include "support/memory_image.h"
#include "support/pclntab_builder.h"

namespace cgo {
namespace {

constexpr Address kText{0x401000}, kG{0xc000001000};
constexpr Address kInner{0xc000010000}, kOuter{0xc000010100};  // Stack pointers of two frames.
constexpr Address kInnerPc{0x401010}, kOuterPc{0x401110};
constexpr std::uint64_t kFrameBytes = 0x80;

/// Two functions; the outer one has the given places of open-coded calls.
struct Stack {
  explicit Stack(GoVersion version, std::vector<std::byte> open_coded = {})
      : layout(*defer_layout_from_table(version)) {
    PclntabBuilder builder(version);
    // A table of its own, so that there is one at all.
    builder.function({.name = "main.inner", .entry = 0, .arguments = {std::byte{0xff}}});
    builder.function(
        {.name = "main.outer", .entry = 0x100, .open_coded_defers = std::move(open_coded)});
    module = builder.module(kText, 0x200);
    frames = {{*module->function_at(kInnerPc), kInner, {kInner.value + kFrameBytes}},
              {*module->function_at(kOuterPc), kOuter, {kOuter.value + kFrameBytes}}};
  }

  DeferredCalls calls(const MemoryReader& memory, bool whole = true) const {
    return deferred_calls(memory, layout, kG, frames, whole);
  }

  DeferLayout layout;
  std::unique_ptr<GoModule> module;
  std::vector<DeferringFrame> frames;
};

void begin_list(MemoryImage& memory, const DeferLayout& layout, Address first) {
  memory.pointer(wrapping_add(kG, layout.g_defer.bytes), first);
}

/// A record of the list, all other bytes zero.
void add_record(MemoryImage& memory, const DeferLayout& layout, Address at, Address sp,
                Address closure, Address link, Address pc = kInnerPc) {
  for (std::uint64_t i = 0; i < 72; i += 8) memory.u64(wrapping_add(at, i), 0);
  memory.pointer(wrapping_add(at, layout.sp.bytes), sp);
  memory.pointer(wrapping_add(at, layout.pc.bytes), pc);
  memory.pointer(wrapping_add(at, layout.fn.bytes), closure);
  memory.pointer(wrapping_add(at, layout.link.bytes), link);
}

std::vector<std::pair<std::size_t, std::uint64_t>> pairs(const DeferredCalls& calls) {
  std::vector<std::pair<std::size_t, std::uint64_t>> out;
  for (const DeferredCall& one : calls.found) out.emplace_back(one.frame, one.closure.value);
  return out;
}

using Pairs = std::vector<std::pair<std::size_t, std::uint64_t>>;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

}  // namespace

TEST_CASE("calls of the goroutine's list belong to the frames that have their stack pointer") {
  for (const int minor : {19, 21, 22, 27}) {
    const Stack stack({minor, 1});
    MemoryImage memory;
    begin_list(memory, stack.layout, {0x5000});
    add_record(memory, stack.layout, {0x5000}, kInner, {0x111}, {0x5100});
    add_record(memory, stack.layout, {0x5100}, kInner, {0x222}, {0x5200});
    add_record(memory, stack.layout, {0x5200}, kOuter, {0x333}, {}, kOuterPc);
    const DeferredCalls calls = stack.calls(memory);
    CHECK_FALSE(calls.error);
    CHECK(calls.known_frames == 2);
    CHECK(pairs(calls) == Pairs{{0, 0x111}, {0, 0x222}, {1, 0x333}});
  }
}

TEST_CASE("what an earlier panic has begun does not run again") {
  const Stack stack({21, 1});
  MemoryImage memory;
  begin_list(memory, stack.layout, {0x5000});
  add_record(memory, stack.layout, {0x5000}, kInner, {0x111}, {0x5100});
  memory.u8({0x5000}, 1);  // started
  add_record(memory, stack.layout, {0x5100}, kOuter, {0x222}, {}, kOuterPc);
  CHECK(pairs(stack.calls(memory)) == Pairs{{1, 0x222}});
}

// Offsets from the top of the locals, 16 below the CFA: bits at 8, slots up to 40 below.
TEST_CASE("open-coded calls are those whose bits are set, the last one first") {
  const Address top{kOuter.value + kFrameBytes - 16};
  const auto fill = [&](MemoryImage& memory, const DeferLayout& layout) {
    begin_list(memory, layout, {});
    memory.u8({top.value - 8}, 0b101);
    memory.pointer({top.value - 40}, {0x100}).pointer({top.value - 32}, {0x200});
    memory.pointer({top.value - 24}, {0x300});
  };
  MemoryImage memory;
  // Up to 1.21: the bits, how many, the place of each from the last one on.
  const Stack old({21, 1}, bytes({8, 3, 24, 32, 40}));
  fill(memory, old.layout);
  CHECK(pairs(old.calls(memory)) == Pairs{{1, 0x300}, {1, 0x100}});
  // Since 1.22: the bits, the first place.
  const Stack later({22, 1}, bytes({8, 40}));
  CHECK(pairs(later.calls(memory)) == Pairs{{1, 0x300}, {1, 0x100}});
  // Bytes that are missing are an error, not a frame without calls.
  for (const Address hole : memory.addresses()) {
    const auto without = later.calls(memory.drop(hole));
    if (hole.value >= top.value - 32 && hole.value < top.value - 24) continue;  // Not set.
    CHECK(without.error);
  }
  CHECK(old.calls(memory).known_frames == 2);
  const Stack damaged({21, 1}, bytes({8, 200, 1}));
  CHECK(damaged.calls(memory).error);
}

TEST_CASE("calls that the body of a range-over-func loop deferred run with those of its function") {
  const Stack stack({24, 1});
  MemoryImage memory;
  begin_list(memory, stack.layout, {0x5000});
  add_record(memory, stack.layout, {0x5000}, kOuter, {}, {0x5200}, kOuterPc);
  memory.u8({0x5001}, 1).pointer({0x5000 + 40}, {0x7000}).pointer({0x7000}, {0x5100});
  add_record(memory, stack.layout, {0x5100}, {}, {0x222}, {0x5180}, {});
  add_record(memory, stack.layout, {0x5180}, {}, {0x333}, {}, {});
  add_record(memory, stack.layout, {0x5200}, kOuter, {0x444}, {}, kOuterPc);
  const DeferredCalls calls = stack.calls(memory);
  CHECK_FALSE(calls.error);
  CHECK(pairs(calls) == Pairs{{1, 0x222}, {1, 0x333}, {1, 0x444}});
}

TEST_CASE("a list that does not fit the stack is not believed") {
  const Stack stack({27, 1});
  MemoryImage memory;
  begin_list(memory, stack.layout, {0x5000});
  add_record(memory, stack.layout, {0x5000}, {kInner.value + 8}, {0x111}, {});
  CHECK(stack.calls(memory).error);
  // Further out than what is known of the stack: there it may belong.
  add_record(memory, stack.layout, {0x5000}, {kOuter.value + 0x1000}, {0x111}, {});
  CHECK(stack.calls(memory).error);
  CHECK_FALSE(stack.calls(memory, false).error);
  // Without an end.
  add_record(memory, stack.layout, {0x5000}, kInner, {0x111}, {0x5000});
  CHECK(stack.calls(memory).error);
  memory.u8({0x5001}, 7);  // No truth value.
  CHECK(stack.calls(memory).error);
}

TEST_CASE("a list of deferred calls reports every missing byte") {
  const Stack stack({26, 1});
  MemoryImage whole;
  begin_list(whole, stack.layout, {0x5000});
  whole.u8({0x5000}, 0).u8({0x5001}, 0);
  whole.pointer({0x5008}, kInner).pointer({0x5010}, kInnerPc).pointer({0x5018}, {0x111});
  whole.pointer({0x5020}, {});
  REQUIRE_FALSE(stack.calls(whole).error);
  for (const Address hole : whole.addresses())
    if (hole != Address{0x5000}) CHECK(stack.calls(whole.drop(hole)).error);
}

TEST_CASE("panics in progress are a list of the goroutine's") {
  const DeferLayout layout = *defer_layout_from_table({24, 1});
  MemoryImage memory;
  memory.pointer({kG.value + 32}, {0x6000});
  memory.pointer({0x6000 + 24}, {0x6100}).u8({0x6000 + 97}, 0);
  memory.pointer({0x6100 + 24}, {}).u8({0x6100 + 97}, 1);
  const auto found = panics_of(memory, layout, kG);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(found->at(0).arg == Address{0x6008});
  CHECK_FALSE(found->at(0).is_goexit);
  CHECK(found->at(1).is_goexit);
  memory.pointer({0x6100 + 24}, {0x6000});
  CHECK_FALSE(panics_of(memory, layout, kG));
}

}  // namespace cgo
