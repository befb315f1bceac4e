#include "goruntime/argument_slots.h"

#include <catch2/catch_test_macros.hpp>

#include "support/pclntab_builder.h"

namespace cgo {
namespace {

std::vector<std::byte> stream(std::initializer_list<unsigned> bytes) {
  std::vector<std::byte> out;
  for (const unsigned byte : bytes) out.push_back(std::byte(byte));
  return out;
}

/// f(a int on the stack, s string, i int): the last two in registers, with slots from 8 on.
PclntabBuilder::Function function() {
  return {.name = "main.f",
          .frame = {{0x40, 8}},
          .lines = {{0x40, 1}},
          .inline_index = {{0x40, -1}},
          .arguments = stream({0, 8, 0xfe, 8, 8, 16, 8, 0xfd, 24, 8, 0xff}),
          .live_arguments = stream({8, 0b011, 0b101}),  // Slots: s.ptr, s.len, i.
          .live_index = {{0x10, -1}, {0x20, 1}, {0x40, 2}}};
}

std::string shown(const PclntabBuilder::Function& made, std::uint64_t pc) {
  const auto module = PclntabBuilder({26, 0}).function(made).module({0x1000}, 0x40);
  const auto found = module->function_at({0x1000 + pc});
  REQUIRE(found);
  const ArgumentSlots slots = argument_slots(*found, {0x1000 + pc});
  std::string out;
  for (const auto& slot : slots.parameters)
    out += slot ? std::to_string(slot->offset) + "+" + std::to_string(slot->bytes) +
                      (slot->live ? " live; " : "; ")
                : "none; ";
  return out + (slots.complete ? "" : "...");
}

}  // namespace

TEST_CASE("parameters of a Go function are where the runtime's tracebacks find them") {
  CHECK(shown(function(), 0x4) == "0+8 live; 8+16; 24+8; ");
  CHECK(shown(function(), 0x14) == "0+8 live; 8+16 live; 24+8; ");
  CHECK(shown(function(), 0x24) == "0+8 live; 8+16; 24+8 live; ");
}

TEST_CASE("each word of a parameter is told by itself") {
  const auto module = PclntabBuilder({26, 0}).function(function()).module({0x1000}, 0x40);
  const auto found = module->function_at({0x1024});
  REQUIRE(found);
  const ArgumentSlots slots = argument_slots(*found, {0x1024});
  REQUIRE(slots.parameters.size() == 3);
  const auto& text = slots.parameters[1];
  REQUIRE(text);
  REQUIRE(text->parts.size() == 2);
  CHECK(text->parts[0].offset == 8);
  CHECK(text->parts[0].live);
  CHECK(text->parts[1].offset == 16);
  CHECK(text->parts[1].bytes == 8);
  CHECK_FALSE(text->parts[1].live);
}

TEST_CASE("parameters that are not told in full are not relied on") {
  auto made = function();
  made.arguments = stream({0xfe, 0xfd, 0xfb, 0xfe, 0, 8, 0xfc, 0xfd, 0xfc, 0xff});
  CHECK(shown(made, 0x4) == "none; none; 0+8; ...");
  made.arguments.clear();
  CHECK(shown(made, 0x4).empty());
  made.arguments = stream({8, 8, 0xff});
  made.live_arguments.clear();  // Without it all parameters are on the caller's stack.
  CHECK(shown(made, 0x4) == "8+8 live; ");
}

TEST_CASE("the dictionary of a generic function is not told, but has its slot") {
  auto made = function();
  made.arguments = stream({8, 8, 16, 8, 0xff});
  made.live_arguments = stream({0, 0b011, 0b101});  // Slots: dictionary, a, b.
  for (const char* name : {"main.f[...]", "a.b/c%2ed.f[...]"}) {
    made.name = name;
    CHECK(shown(made, 0x14) == "8+8 live; 16+8; ");
    CHECK(shown(made, 0x24) == "8+8; 16+8 live; ");
  }
  for (const char* name :
       {"main.(*T[...]).f", "main.T[...].f", "main.f[...].func1", "main.T.f[...]"}) {
    made.name = name;
    CHECK(shown(made, 0x14) == "...");
  }
}

TEST_CASE("a table that does not end says nothing") {
  auto made = function();
  made.live_arguments.clear();
  made.arguments = stream({0, 8, 8});
  made.arguments.resize(256, std::byte{0x10});
  CHECK(shown(made, 0x4).empty());
}

}  // namespace cgo
