#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/dwarf_samples.h"
#include "support/memory_image.h"
#include "target/arch.h"
#include "target/dwarf.h"

namespace cgo {
namespace {

std::shared_ptr<const DwarfInfo> open(const DwarfBuilder::Sections& sections) {
  auto file = ElfFile::from_bytes(elf_with(sections), "sample");
  REQUIRE(file);
  auto dwarf = DwarfInfo::open(*file);
  REQUIRE(dwarf);
  return *dwarf;
}

const Type* type(const DwarfInfo& dwarf, std::string_view name) {
  auto found = dwarf.type_named(name);
  REQUIRE(found);
  return *found;
}

std::string shown(const LocationPiece& piece) {
  switch (piece.kind) {
    case LocationPiece::Kind::memory:
      return "at " + hex(piece.address);
    case LocationPiece::Kind::reg:
      return "in " + register_name(kAmd64, piece.reg);
    case LocationPiece::Kind::value:
      return "value " + std::to_string(std::to_integer<int>(piece.value.at(0)));
    case LocationPiece::Kind::absent:
      return piece.why;
  }
  return {};
}

std::string shown(const Variable& variable, const ExpressionContext& context) {
  std::string out = variable.parameter ? "param " : std::string(variable.depth, '>') + "local ";
  out += variable.type ? format_type(*variable.type) : "?";
  out += " " + std::string(variable.name) + ": ";
  auto pieces = locate(variable, context);
  if (!pieces) return out + pieces.error().message + "\n";
  for (const LocationPiece& piece : *pieces) out += shown(piece);
  return out + "\n";
}

/// All scopes at a pc, in a frame whose CFA is 0x8000.
std::string shown(const DwarfInfo& dwarf, Address pc) {
  auto scopes = dwarf.scopes_at(pc);
  if (!scopes) return "error: " + scopes.error().message;
  auto frames = dwarf.frames_at(pc);
  REQUIRE(frames);
  REQUIRE(frames->size() == scopes->size());
  std::string out;
  for (std::size_t i = 0; i < scopes->size(); ++i) {
    out += (*frames)[i].function + "\n";
    ExpressionContext context{.cfa = Address{0x8000}, .frame_base = (*scopes)[i].frame_base};
    context.entry_value = [](const DwarfExpression& expression) -> Result<std::uint64_t> {
      CHECK(expression.code.size() == 1);
      return std::uint64_t{42};
    };
    for (const Variable& variable : (*scopes)[i].variables) out += shown(variable, context);
  }
  return out;
}

}  // namespace

TEST_CASE("the variables at a pc are those of the blocks that cover it, where they are then") {
  const std::uint16_t version = GENERATE(4, 5);
  CAPTURE(version);
  const auto dwarf = open(variable_sections(version));
  const std::string outer =
      "local enum color v: at 0x7ff0\n"
      "local const char * seen: at 0x5008\n";
  CHECK(shown(*dwarf, {0x1000}) == "f\nparam int a: in rdi\nparam long b: in rsi\n" + outer);
  CHECK(shown(*dwarf, {0x1010}) ==
        "f\nparam int a: value 42\nparam long b: in rsi\n>local int v: value 7\n" + outer);
  CHECK(shown(*dwarf, {0x1020}) ==
        "g\nparam int p: in rax\nparam int r: optimized out\n"
        "local int (*)() q: optimized out\n"
        "f\nparam int a: optimized out\nparam long b: in rsi\n"
        ">>local struct bits w: at 0x7fe8\n>local int v: value 7\n" +
            outer);
  CHECK(shown(*dwarf, {0x1040}) == "f\nparam int a: optimized out\nparam long b: in rsi\n" + outer);
  CHECK(shown(*dwarf, {0x2000}).empty());
}

TEST_CASE("types tell their parts, bit by bit") {
  const std::uint16_t version = GENERATE(4, 5);
  CAPTURE(version);
  const auto dwarf = open(variable_sections(version));
  const Type* bits = type(*dwarf, "struct bits");
  CHECK(bits == type(*dwarf, "bits"));
  auto members = bits->members();
  REQUIRE(members);
  REQUIRE(members->size() == 3);
  const auto place = [&](std::size_t i) {
    const TypeMember& member = (*members)[i];
    return std::vector<std::uint64_t>{member.offset * 8 + member.bit_offset, member.bit_size};
  };
  CHECK(place(0) == std::vector<std::uint64_t>{0, 3});
  CHECK(place(1) == std::vector<std::uint64_t>{3, 5});
  CHECK(place(2) == std::vector<std::uint64_t>{64, 40});
  const Type* color = type(*dwarf, "color");
  REQUIRE(color->enumerators().size() == 2);
  CHECK(color->enumerators()[1].name == "blue");
  CHECK(color->enumerators()[1].value == -1);
  CHECK(color->is_signed());
  auto word = stripped(type(*dwarf, "word"));
  REQUIRE(word);
  CHECK(*word == type(*dwarf, "unsigned int"));
  CHECK(type(*dwarf, "word")->bytes() == 4);
  CHECK(dwarf->type_named("nothing").error().code == ErrorCode::not_found);
}

TEST_CASE("a declared type is what another unit defines") {
  const auto dwarf = open(variable_sections(5));
  const Type* hidden = type(*dwarf, "hidden");
  CHECK(hidden->complete());
  CHECK(hidden->bytes() == 28);
  auto grid = hidden->member_type(1);
  REQUIRE(grid);
  CHECK(format_type(**grid) == "int [2][3]");
  CHECK((*grid)->bytes() == 24);
  CHECK((*grid)->length() == 2);
  auto row = (*grid)->target();
  REQUIRE(row);
  CHECK((*row)->length() == 3);
  CHECK((*row)->bytes() == 12);
  auto element = (*row)->target();
  REQUIRE(element);
  CHECK((*element)->name() == "int");
}

TEST_CASE("types and globals are found by name and address") {
  const auto dwarf = open(variable_sections(5));
  auto matching = dwarf->types_matching("i", 2);
  REQUIRE(matching);
  CHECK(matching->types.size() == 2);
  CHECK(matching->more == 2);  // bits, hidden; int, unsigned int.
  auto counter = dwarf->variables_named("counter");
  REQUIRE(counter);
  REQUIRE(counter->size() == 1);
  CHECK((*counter)[0].unit == "one.c");
  CHECK(shown((*counter)[0].variable, {}) == "local word counter: at 0x5000\n");
  auto inside = dwarf->variable_at({0x5003});
  REQUIRE(inside);
  CHECK(inside->name == "counter");
  CHECK_FALSE(dwarf->variable_at({0x5004}));
  CHECK(dwarf->variable_at({0x500f})->name == "seen");
  CHECK_FALSE(dwarf->variable_at({0x5010}));
}

TEST_CASE("a call site tells what it passes, and to whom") {
  const std::uint16_t version = GENERATE(4, 5);
  const auto dwarf = open(variable_sections(version));
  auto site = dwarf->call_site({0x1035});
  REQUIRE(site);
  CHECK(site->targets == std::vector<Address>{{0x1000}});
  REQUIRE(site->parameters.size() == 1);
  Registers registers(kAmd64);
  registers.set(3, 41);
  const ExpressionContext context{.registers = &registers};
  CHECK(evaluate_number(site->parameters[0].value, context).value_or(0) == 42);
  CHECK(dwarf->call_site({0x1036}).error().code == ErrorCode::not_found);
}

TEST_CASE("a location list that is cut at any byte is an error or a shorter one, never a crash") {
  const std::uint16_t version = GENERATE(4, 5);
  auto sections = variable_sections(version);
  auto& list = sections[version < 5 ? ".debug_loc" : ".debug_loclists"];
  const auto whole = list;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    list.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto dwarf = open(sections);
    auto scopes = dwarf->scopes_at({0x1040});
    REQUIRE(scopes);
    const Variable& a = (*scopes)[0].variables.at(0);
    CHECK(a.error.has_value());
    CHECK((*scopes)[0].variables.at(1).error == std::nullopt);
  }
}

}  // namespace cgo
