#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/dwarf_builder.h"
#include "support/elf_builder.h"
#include "support/memory_image.h"
#include "target/arch.h"
#include "target/dwarf_constants.h"
#include "target/dwarf_file.h"
#include "target/variables.h"

namespace cgo {
namespace {

using Bytes = std::vector<std::byte>;

Bytes code(std::initializer_list<unsigned> bytes) {
  Bytes out;
  for (const unsigned byte : bytes) out.push_back(std::byte(byte));
  return out;
}

struct World {
  World() {
    registers.set(0, 0x100);
    registers.set(6, 0x2000);
    memory.u64({0x2008}, 0x1122334455667788);
    context.memory = &memory;
    context.registers = &registers;
    context.cfa = Address{0x8000};
    context.frame_base = {base, nullptr};
    context.bias = 0x10000;
  }
  Result<std::uint64_t> number(const Bytes& bytes) const {
    return evaluate_number({bytes, unit}, context);
  }
  Result<std::vector<LocationPiece>> location(const Bytes& bytes) const {
    return evaluate_location({bytes, unit}, context);
  }
  std::string error(const Bytes& bytes) const {
    auto found = number(bytes);
    return found ? "none: " + hex(*found) : found.error().message;
  }

  Bytes base = code({dw::OP_reg0 + 6});
  MemoryImage memory;
  Registers registers{kAmd64};
  ExpressionContext context;
  const DwarfUnit* unit = nullptr;
};

std::uint64_t bits_of(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

TEST_CASE("expressions compute as the standard says") {
  const World world;
  const auto minus = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  struct Case {
    Bytes code;
    std::uint64_t expected;
  };
  const Case cases[] = {
      {code({dw::OP_lit0 + 5}), 5},
      {code({dw::OP_const1s, 0xff}), minus(-1)},
      {code({dw::OP_const2u, 0xfe, 0xff}), 0xfffe},
      {code({dw::OP_const4s, 0xfe, 0xff, 0xff, 0xff}), minus(-2)},
      {code({dw::OP_consts, 0x7f}), minus(-1)},
      {code({dw::OP_addr, 1, 0, 0, 0, 0, 0, 0, 0}), 0x10001},
      {code({dw::OP_breg0, 0x7f}), 0xff},
      {code({dw::OP_bregx, 6, 8, dw::OP_deref}), 0x1122334455667788},
      {code({dw::OP_fbreg, 8, dw::OP_deref_size, 2}), 0x7788},
      {code({dw::OP_call_frame_cfa, dw::OP_plus_uconst, 16}), 0x8010},
      {code({dw::OP_lit0 + 1, dw::OP_lit0 + 2, dw::OP_minus}), minus(-1)},
      {code({dw::OP_lit0 + 1, dw::OP_lit0 + 2, dw::OP_swap, dw::OP_minus}), 1},
      {code({dw::OP_lit0 + 1, dw::OP_lit0 + 2, dw::OP_over, dw::OP_plus, dw::OP_plus}), 4},
      {code({dw::OP_lit0 + 1, dw::OP_lit0 + 2, dw::OP_lit0 + 3, dw::OP_rot, dw::OP_drop}), 1},
      {code({dw::OP_lit0 + 9, dw::OP_lit0 + 2, dw::OP_pick, 1, dw::OP_mul, dw::OP_drop}), 9},
      {code({dw::OP_const1s, 0xf9, dw::OP_lit0 + 2, dw::OP_div}), minus(-3)},
      {code({dw::OP_lit0 + 7, dw::OP_lit0 + 4, dw::OP_mod}), 3},
      {code({dw::OP_lit0 + 1, dw::OP_const1u, 63, dw::OP_shl, dw::OP_lit0 + 31, dw::OP_lit0 + 31,
             dw::OP_plus, dw::OP_lit0 + 1, dw::OP_plus, dw::OP_shra}),
       ~std::uint64_t{0}},
      {code({dw::OP_const1s, 0xfe, dw::OP_lit0 + 1, dw::OP_lt}), 1},
      {code({dw::OP_const1s, 0xfe, dw::OP_abs, dw::OP_neg, dw::OP_not}), 1},
      {code({dw::OP_lit0 + 6, dw::OP_lit0 + 3, dw::OP_xor, dw::OP_lit0 + 4, dw::OP_or}), 5},
      {code({dw::OP_lit0 + 1, dw::OP_bra, 1, 0, dw::OP_nop, dw::OP_lit0 + 8}), 8},
      {code({dw::OP_skip, 1, 0, 0xff, dw::OP_lit0 + 8}), 8},
  };
  for (const Case& one : cases) {
    CAPTURE(&one - cases);
    auto found = world.number(one.code);
    REQUIRE(found);
    CHECK(*found == one.expected);
  }
}

TEST_CASE("what is missing or wrong is said, never guessed") {
  const World world;
  CHECK(world.error(code({dw::OP_breg0 + 3, 0})) == "register rbx of this frame is not known");
  CHECK(world.error(code({dw::OP_deref})) == "DWARF expression: its stack is empty");
  CHECK(world.error(code({dw::OP_const8u, 1})) == "DWARF expression: it is cut off");
  CHECK(world.error(code({dw::OP_skip, 0xfd, 0xff})) == "DWARF expression: too long");
  CHECK(world.error(code({dw::OP_lit0, dw::OP_lit0, dw::OP_div})) ==
        "DWARF expression: a division by zero");
  CHECK(world.error(code({dw::OP_lit0, dw::OP_form_tls_address})) ==
        "DWARF expression: thread-local variables are not read");
  CHECK(world.error(code({dw::OP_entry_value, 1, dw::OP_reg0})) ==
        "what the caller passed is not known");
  CHECK(world.error(code({0xe5})) == "DWARF expression: operation 0xe5");
  CHECK(world.error(code({dw::OP_skip, 0xff, 0x7f})) == "DWARF expression: it jumps out of itself");
  CHECK(world.error(code({dw::OP_lit0, dw::OP_dup, dw::OP_skip, 0xfc, 0xff})) ==
        "DWARF expression: its stack is too deep");
  auto hole = world.number(code({dw::OP_lit0 + 9, dw::OP_deref}));
  REQUIRE_FALSE(hole);
  CHECK(hole.error().address == Address{9});
}

TEST_CASE("a frame base in terms of itself ends") {
  World world;
  world.base = code({dw::OP_fbreg, 0});
  world.context.frame_base = {world.base, nullptr};
  CHECK_FALSE(world.number(code({dw::OP_fbreg, 0})));
}

TEST_CASE("reading memory for an expression reports every missing byte at its address") {
  World world;
  const MemoryImage whole = world.memory;
  for (const Address hole : whole.addresses()) {
    const MemoryImage image = whole.drop(hole);
    world.context.memory = &image;
    auto found = world.number(code({dw::OP_breg0 + 6, 8, dw::OP_deref}));
    REQUIRE_FALSE(found);
    CHECK(found.error().address == hole);
  }
}

TEST_CASE("pieces are put together, and what is missing of them is a hole with its reason") {
  const World world;
  // A Go string whose pointer is in memory and whose length is in a register that is not known.
  auto pieces =
      world.location(code({dw::OP_breg0 + 6, 8, dw::OP_piece, 8, dw::OP_reg0 + 3, dw::OP_piece, 8,
                           dw::OP_piece, 2, dw::OP_lit0 + 5, dw::OP_stack_value, dw::OP_piece, 1}));
  REQUIRE(pieces);
  REQUIRE(pieces->size() == 4);
  auto value = read_pieces(*pieces, 19, world.context);
  REQUIRE(value);
  CHECK(load<std::uint64_t>(value->bytes, 0) == 0x1122334455667788);
  CHECK(value->bytes[18] == std::byte{5});
  REQUIRE(value->holes.size() == 2);
  CHECK(value->holes[0].offset == 8);
  CHECK(value->holes[0].bytes == 8);
  CHECK(value->holes[0].why.message == "register rbx of this frame is not known");
  CHECK(value->holes[1].why.message == "optimized out");
  CHECK_FALSE(value->address);
  CHECK(read_pieces(*pieces, 1u << 30, world.context).error().code == ErrorCode::limit_reached);
}

TEST_CASE("a value in one place of memory has an address; bits are taken as bits") {
  const World world;
  auto whole = read_pieces(*world.location(code({dw::OP_fbreg, 8})), 8, world.context);
  REQUIRE(whole);
  CHECK(whole->address == Address{0x2008});
  CHECK(whole->holes.empty());
  auto pieces = world.location(
      code({dw::OP_fbreg, 8, dw::OP_bit_piece, 4, 4, dw::OP_reg0, dw::OP_bit_piece, 12, 0}));
  REQUIRE(pieces);
  auto value = read_pieces(*pieces, 2, world.context);
  REQUIRE(value);
  CHECK(load<std::uint16_t>(value->bytes, 0) == 0x1008);
  // The rest of the byte is not known.
  auto some = read_pieces(*world.location(code({dw::OP_lit0 + 5, dw::OP_stack_value,
                                                dw::OP_bit_piece, 3, 0, dw::OP_bit_piece, 13, 0})),
                          2, world.context);
  REQUIRE(some);
  REQUIRE(some->holes.size() == 1);
  CHECK(some->holes[0].offset == 0);
  CHECK(some->holes[0].bytes == 2);
  CHECK(some->holes[0].low_bits == 3);
  CHECK(some->holes[0].high_bits == 0);
}

TEST_CASE("typed operations compute with the unit's base types") {
  using B = DwarfBuilder;
  const auto base = [](std::string name, std::uint64_t bytes, std::uint64_t encoding) {
    return B::Die{dw::TAG_base_type,
                  {B::number(dw::AT_byte_size, bytes), B::number(dw::AT_encoding, encoding)},
                  {},
                  std::move(name)};
  };
  B builder(5);
  builder.unit({dw::TAG_compile_unit,
                {},
                {base("int", 4, dw::ATE_signed), base("double", 8, dw::ATE_float),
                 base("wide", 16, dw::ATE_signed)}});
  auto elf = ElfFile::from_bytes(elf_with(builder.sections()), "sample");
  REQUIRE(elf);
  const DwarfFile file(*elf);
  auto unit = file.unit(0);
  REQUIRE(unit);
  World world;
  world.unit = *unit;
  world.registers.set(3, bits_of(2.5));
  const auto at = [&](const char* label) { return static_cast<unsigned>(builder.offset(label)); };
  CHECK(world
            .number(code(
                {dw::OP_const1s, 0xfd, dw::OP_convert, at("int"), dw::OP_convert, at("double")}))
            .value_or(0) == bits_of(-3));
  CHECK(world.number(code({dw::OP_regval_type, 3, at("double"), dw::OP_dup, dw::OP_mul}))
            .value_or(0) == bits_of(6.25));
  CHECK(world
            .number(code({dw::OP_GNU_regval_type, 3, at("double"), dw::OP_GNU_convert, at("int"),
                          dw::OP_GNU_convert, 0}))
            .value_or(0) == 2);
  CHECK(world
            .number(
                code({dw::OP_fbreg, 8, dw::OP_deref_type, 4, at("int"), dw::OP_GNU_reinterpret, 0}))
            .value_or(0) == 0x55667788);
  CHECK(world.error(code({dw::OP_lit0, dw::OP_convert, at("wide")})) ==
        "DWARF expression: values of 16 bytes");
  CHECK(world.error(code({dw::OP_lit0, dw::OP_lit0, dw::OP_convert, at("double"), dw::OP_plus})) ==
        "DWARF expression: operands of different types");
}

}  // namespace cgo
