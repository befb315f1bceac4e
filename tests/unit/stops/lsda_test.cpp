#include "stops/lsda.h"

#include <catch2/catch_test_macros.hpp>
#include <initializer_list>

#include "support/memory_image.h"

namespace cgo {
namespace {

using Kind = LsdaAction::Kind;

constexpr Address kTable{0x5000}, kFunction{0x1000}, kType{0x7000}, kOtherType{0x7100};

/// Bytes of a table, then its types as absolute words.
MemoryImage table(std::initializer_list<int> bytes, std::initializer_list<Address> types = {}) {
  MemoryImage out;
  Address at = kTable;
  for (const int byte : bytes) {
    out.u8(at, static_cast<std::uint8_t>(byte));
    at = wrapping_add(at, 1);
  }
  for (const Address type : types) {
    out.pointer(at, type);
    at = wrapping_add(at, 8);
  }
  return out;
}

LsdaAction at(const MemoryReader& memory, std::uint64_t offset) {
  const auto found = exception_action(memory, kTable, kFunction, wrapping_add(kFunction, offset));
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("call sites say what becomes of an exception") {
  // header: no landing base, types absolute 8 bytes, their end 0x28 bytes behind the offset byte.
  MemoryImage memory = table({0xff, 0x00, 0x28, 0x01, 0x0c,  //
                              0x10, 0x08, 0x00, 0x00,        // passes
                              0x20, 0x08, 0x40, 0x00,        // cleans up at 0x40
                              0x30, 0x08, 0x50, 0x01,        // at 0x50, action 1
                              0x02, 0x01,                    // filter 2, the next record follows
                              0x01, 0x00},                   // filter 1, end
                             {});
  // Types end at kTable + 3 + 0x28; the first is the last word before that.
  const Address end{kTable.value + 3 + 0x28};
  memory.pointer({end.value - 8}, kType);
  memory.pointer({end.value - 16}, kOtherType);
  CHECK(at(memory, 0x12).kind == Kind::passes);
  const LsdaAction cleans = at(memory, 0x20);
  CHECK(cleans.kind == Kind::cleans_up);
  CHECK(cleans.landing_pad.value == kFunction.value + 0x40);
  const LsdaAction catches = at(memory, 0x37);
  CHECK(catches.kind == Kind::catches);
  REQUIRE(catches.handlers.size() == 2);
  CHECK(catches.handlers[0].type == kOtherType);
  CHECK(catches.handlers[1].type == kType);
  CHECK(catches.landing_pad.value == kFunction.value + 0x50);
  for (const std::uint64_t outside : {0x0, 0x18, 0x28, 0x38, 0x1000})
    CHECK(at(memory, outside).kind == Kind::forbids);
}

TEST_CASE("a type of zero catches everything, a negative filter is a specification") {
  MemoryImage memory = table({0xff, 0x00, 0x18, 0x01, 0x08,  //
                              0x10, 0x08, 0x40, 0x01,        //
                              0x20, 0x08, 0x50, 0x03,        //
                              0x01, 0x00,                    // filter 1
                              0x7f, 0x00},                   // filter -1
                             {});
  const Address end{kTable.value + 3 + 0x18};
  memory.pointer({end.value - 8}, {});
  memory.u8(end, 0);  // The list of allowed types: none.
  const LsdaAction all = at(memory, 0x10);
  REQUIRE(all.handlers.size() == 1);
  CHECK(all.handlers[0].all);
  const LsdaAction none = at(memory, 0x20);
  REQUIRE(none.handlers.size() == 1);
  CHECK(none.handlers[0].specification);
  CHECK(none.handlers[0].allowed.empty());
}

TEST_CASE("a table with any byte missing fails or says the same") {
  MemoryImage memory = table({0xff, 0x00, 0x18, 0x01, 0x08,  //
                              0x10, 0x08, 0x40, 0x01,        //
                              0x20, 0x08, 0x50, 0x00,        //
                              0x01, 0x00},
                             {});
  memory.pointer({kTable.value + 3 + 0x18 - 8}, kType);
  for (const Address hole : memory.addresses()) {
    const MemoryImage damaged = memory.drop(hole);
    const auto found = exception_action(damaged, kTable, kFunction, wrapping_add(kFunction, 0x12));
    if (found) {
      CHECK(found->kind == Kind::catches);
      CHECK(found->handlers.at(0).type == kType);
    }
  }
}

TEST_CASE("a chain of actions that goes in a circle ends") {
  MemoryImage memory = table({0xff, 0x00, 0x18, 0x01, 0x04,  //
                              0x10, 0x08, 0x40, 0x01,        //
                              0x01, 0x7f},                   // filter 1, next: this one
                             {});
  memory.pointer({kTable.value + 3 + 0x18 - 8}, kType);
  CHECK_FALSE(exception_action(memory, kTable, kFunction, wrapping_add(kFunction, 0x12)));
}

}  // namespace cgo
