#include <catch2/catch_test_macros.hpp>

#include "support/dwarf_builder.h"
#include "support/memory_image.h"
#include "target/arch.h"
#include "target/dwarf.h"

namespace cgo {
namespace {

using B = DwarfBuilder;
using Die = B::Die;

B::Attribute expression(std::uint16_t name, std::initializer_list<std::uint8_t> code) {
  std::vector<std::byte> bytes;
  for (const std::uint8_t byte : code) bytes.push_back(std::byte{byte});
  return {name, dw::FORM_exprloc, std::move(bytes)};
}

/// `typedef int NAME[bound]`.
void add_array(Die& unit, const std::string& name, std::vector<B::Attribute> bound) {
  unit.children.push_back({dw::TAG_array_type,
                           {B::ref(dw::AT_type, "int")},
                           {{dw::TAG_subrange_type, std::move(bound)}},
                           name + "[]"});
  unit.children.push_back(
      {dw::TAG_typedef, {B::text(dw::AT_name, name), B::ref(dw::AT_type, name + "[]")}});
}

std::shared_ptr<const DwarfInfo> sample() {
  Die unit{dw::TAG_compile_unit, {B::number(dw::AT_language, 2)}};
  unit.children = {
      {dw::TAG_base_type,
       {B::text(dw::AT_name, "int"), B::number(dw::AT_byte_size, 4),
        B::number(dw::AT_encoding, dw::ATE_signed)},
       {},
       "int"},
      {dw::TAG_variable,
       {B::ref(dw::AT_type, "int"), expression(dw::AT_location, {dw::OP_breg0 + 3, 0})},
       {},
       "n"}};
  add_array(unit, "five", {expression(dw::AT_upper_bound, {dw::OP_lit0 + 4})});
  add_array(unit, "none", {expression(dw::AT_upper_bound, {dw::OP_const1s, 0xff})});
  add_array(unit, "below", {expression(dw::AT_upper_bound, {dw::OP_const1s, 0xfe})});
  add_array(unit, "rbx", {expression(dw::AT_count, {dw::OP_breg0 + 3, 0})});
  add_array(unit, "held", {B::ref(dw::AT_count, "n")});
  add_array(unit, "wrong", {B::ref(dw::AT_count, "int")});
  add_array(unit, "flexible", {});
  unit.children.push_back({dw::TAG_pointer_type,
                           {B::text(dw::AT_name, "pointer"), B::number(dw::AT_byte_size, 8),
                            B::ref(dw::AT_type, "five[]")}});
  B builder(5);
  builder.unit(unit);
  auto file = ElfFile::from_bytes(elf_with(builder.sections()), "sample");
  REQUIRE(file);
  auto dwarf = DwarfInfo::open(*file);
  REQUIRE(dwarf);
  return *dwarf;
}

struct Frame {
  std::shared_ptr<const DwarfInfo> dwarf = sample();
  MemoryImage memory;
  Registers registers{kAmd64};
  ExpressionContext context{.memory = &memory, .registers = &registers};

  std::string seen(std::string_view name) const {
    auto type = dwarf->type_named(name);
    REQUIRE(type);
    auto known = dwarf->type_in_frame(*type, {0x1000}, context);
    if (!known) return known.error().message;
    auto array = stripped(*known);
    REQUIRE(array);
    const std::uint64_t bytes = (*array)->bytes();
    if ((*array)->kind() == TypeKind::pointer) array = (*array)->target();
    return format_type(**array) + " of " + std::to_string(bytes);
  }
};

}  // namespace

TEST_CASE("an array has the length that its frame tells") {
  Frame frame;
  frame.registers.set(3, 0x5000);
  frame.memory.u64({0x5000}, 6);
  CHECK(frame.seen("five") == "int [5] of 20");
  CHECK(frame.seen("none") == "int [0] of 0");
  CHECK(frame.seen("held") == "int [6] of 24");
  CHECK(frame.seen("rbx") == "int [20480] of 81920");
  CHECK(frame.seen("pointer") == "int [5] of 8");
  CHECK(frame.seen("flexible") == "int [] of 0");
  CHECK(frame.seen("int") == "int of 4");
}

TEST_CASE("equal lengths give one type") {
  Frame frame;
  auto type = frame.dwarf->type_named("five");
  REQUIRE(type);
  auto first = frame.dwarf->type_in_frame(*type, {0x1000}, frame.context);
  auto second = frame.dwarf->type_in_frame(*type, {0x1000}, frame.context);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(*first == *second);
}

TEST_CASE("a length that is not known or cannot be is said, not guessed") {
  Frame frame;
  CHECK(frame.seen("below") == "the bound is -2");
  CHECK(frame.seen("rbx").find("rbx") != std::string::npos);
  CHECK(frame.seen("wrong").find("not known") != std::string::npos);
  frame.registers.set(3, ~std::uint64_t{0});
  CHECK(frame.seen("rbx") == "the bound is -1");
  frame.registers.set(3, std::uint64_t{1} << 60);
  CHECK(frame.seen("rbx") == "the bound is 1152921504606846976");
  frame.registers.set(3, 0x5000);
  CHECK(frame.seen("held").find("0x5000") != std::string::npos);
  frame.memory.u64({0x5000}, 0xffffffff);
  CHECK(frame.seen("held") == "the bound is -1");
}

}  // namespace cgo
