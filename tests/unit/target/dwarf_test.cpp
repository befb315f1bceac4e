#include "target/dwarf.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/dwarf_samples.h"

namespace cgo {
namespace {

using B = DwarfBuilder;

std::shared_ptr<const DwarfInfo> open(std::vector<std::byte> elf) {
  auto file = ElfFile::from_bytes(std::move(elf), "sample");
  REQUIRE(file);
  auto dwarf = DwarfInfo::open(*file);
  REQUIRE(dwarf);
  return *dwarf;
}

std::string shown(const Result<std::vector<SourceFrame>>& frames) {
  if (!frames) return "error: " + frames.error().message;
  std::string out;
  for (const SourceFrame& frame : *frames)
    out += frame.function + (frame.inlined ? " [inlined] " : " ") + frame.file + ":" +
           std::to_string(frame.line) + "\n";
  return out;
}

/// A unit of code from 0x1000 to 0x1100 with these attributes and children.
DwarfBuilder::Sections one_unit(std::uint16_t version, std::vector<B::Attribute> attributes,
                                std::vector<B::Die> children, const B::Sections& others = {}) {
  B builder(version);
  builder.unit({dw::TAG_compile_unit, std::move(attributes), std::move(children)});
  return builder.sections(others);
}

}  // namespace

TEST_CASE("frames at a pc are the inlined ones and the function, each with its own line") {
  const std::uint16_t version = GENERATE(4, 5);
  CAPTURE(version);
  const auto dwarf = open(elf_with(sample_sections(version)));
  CHECK(shown(dwarf->frames_at({0x1000})) == "outer /build/src/one.c:10\n");
  CHECK(shown(dwarf->frames_at({0x1012})) ==
        "ns::mid [inlined] /build/src/two.c:29\n"
        "outer /build/src/one.c:12\n");
  CHECK(shown(dwarf->frames_at({0x1014})) ==
        "ns::in(int) [inlined] /build/src/one.c:40\n"
        "ns::mid [inlined] /build/src/two.c:30\n"
        "outer /build/src/one.c:12\n");
  CHECK(shown(dwarf->frames_at({0x1018})) ==
        "ns::mid [inlined] /build/src/two.c:31\n"
        "outer /build/src/one.c:12\n");
  const auto frames = dwarf->frames_at({0x1014});
  CHECK((*frames)[0].linkage_name == "_ZN2ns2inEi");
  for (const SourceFrame& frame : *frames) {
    CHECK(frame.entry == Address{0x1000});
    CHECK(frame.language == Language::cxx);
  }
}

TEST_CASE("no frames where no unit and no line is") {
  const auto dwarf = open(elf_with(sample_sections(5)));
  CHECK(shown(dwarf->frames_at({0x2000})).empty());
  CHECK(shown(dwarf->frames_at({0x10f0})).empty());
  CHECK(dwarf->language_at({0x1000}).value_or(Language::go) == Language::cxx);
  CHECK(dwarf->language_at({0x2000}).value_or(Language::go) == Language::unknown);
}

TEST_CASE("code without a function entry is named by its symbol") {
  auto sections = one_unit(5,
                           {B::address(dw::AT_low_pc, 0x1000), B::number(dw::AT_high_pc, 0x100),
                            B::offset(dw::AT_stmt_list, 0)},
                           {}, {{".debug_line", line_section(5, {{0x1000, 2, 7}}, 0x1020)}});
  const auto dwarf =
      open(elf_with(sections, {{.name = "memmove", .address = {0x1000}, .bytes = 0x20}}));
  CHECK(shown(dwarf->frames_at({0x1004})) == "memmove /build/src/two.c:7\n");
}

TEST_CASE("tail calls between a call and the function it ended in") {
  const std::uint16_t version = GENERATE(4, 5);
  CAPTURE(version);
  const auto dwarf = open(elf_with(sample_sections(version)));
  CHECK(shown(dwarf->tail_calls({0x1035}, {0x1080})) ==
        "second /build/src/one.c:60\n"
        "first /build/src/one.c:50\n");
  CHECK(shown(dwarf->tail_calls({0x1035}, {0x1060})) == "first /build/src/one.c:50\n");
  SECTION("none when the call went straight there") {
    CHECK(shown(dwarf->tail_calls({0x1035}, {0x1040})).empty());
  }
  SECTION("none where nothing is called, and for a function that cannot be reached") {
    CHECK(shown(dwarf->tail_calls({0x1030}, {0x1080})).empty());
    CHECK(shown(dwarf->tail_calls({0x1035}, {0x10a0})).empty());
    CHECK(shown(dwarf->tail_calls({0x5000}, {0x1080})).empty());
    CHECK(shown(dwarf->tail_calls({0}, {0x1080})).empty());
  }
  SECTION("from a function that is known to have been called") {
    const auto frames = dwarf->tail_calls_from({0x1040}, {0x1080});
    REQUIRE(frames);
    REQUIRE(frames->size() == 2);
    CHECK((*frames)[0].entry == Address{0x1060});
    CHECK((*frames)[1].entry == Address{0x1040});
  }
  SECTION("none when two ways are possible") {
    CHECK(shown(dwarf->tail_calls_from({0x10a0}, {0x1080})).empty());
    CHECK(shown(dwarf->tail_calls_from({0x10a0}, {0x1060})) ==
          "first /build/src/one.c:50\n"
          "either /build/src/one.c:70\n");
  }
}

namespace {

/// Functions at 0x1000, 0x1010 ... named a, b, c, with tail calls: {"a", "b"} is a call of b in a;
/// an empty callee is a call through a pointer.
std::shared_ptr<const DwarfInfo> tail_call_program(
    const std::string& names, const std::vector<std::pair<char, std::string>>& calls) {
  std::vector<B::Die> functions;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::uint64_t begin = 0x1000 + 0x10 * i;
    B::Die function{dw::TAG_subprogram,
                    {B::address(dw::AT_low_pc, begin), B::number(dw::AT_high_pc, 0x10),
                     B::text(dw::AT_name, std::string(1, names[i]))},
                    {},
                    std::string(1, names[i])};
    for (const auto& [from, to] : calls) {
      if (from != names[i]) continue;
      B::Die site{dw::TAG_call_site,
                  {B::address(dw::AT_call_return_pc, begin + 5), B::flag(dw::AT_call_tail_call)}};
      if (!to.empty()) site.attributes.push_back(B::ref(dw::AT_call_origin, to));
      function.children.push_back(site);
    }
    functions.push_back(function);
  }
  return open(elf_with(one_unit(
      5, {B::address(dw::AT_low_pc, 0x1000), B::number(dw::AT_high_pc, 0x100)}, functions)));
}

std::string path(const DwarfInfo& dwarf, std::size_t from, std::size_t to) {
  const auto frames = dwarf.tail_calls_from({0x1000 + 0x10 * from}, {0x1000 + 0x10 * to});
  if (!frames) return frames.error().message;
  std::string out;
  for (const SourceFrame& frame : *frames) out += frame.function;
  return out;
}

}  // namespace

TEST_CASE("a tail call to itself changes nothing") {
  CHECK(path(*tail_call_program("abc", {{'a', "a"}, {'a', "b"}, {'b', "b"}, {'b', "c"}}), 0, 2) ==
        "ba");
}

TEST_CASE("rounds through other functions make the way unknown") {
  CHECK(path(*tail_call_program("abc", {{'a', "b"}, {'b', "a"}, {'b', "c"}}), 0, 2).empty());
  CHECK(path(*tail_call_program("abc", {{'a', "b"}, {'b', "c"}, {'c', "b"}}), 0, 2).empty());
  // A way that leads elsewhere and not back does not matter.
  CHECK(path(*tail_call_program("abcd", {{'a', "b"}, {'b', "c"}, {'c', "d"}}), 0, 2) == "ba");
}

TEST_CASE("a tail call through a pointer makes what follows it unknown") {
  CHECK(path(*tail_call_program("abc", {{'a', "b"}, {'a', ""}, {'b', "c"}}), 0, 2).empty());
  CHECK(path(*tail_call_program("abc", {{'a', "b"}, {'b', ""}, {'b', "c"}}), 0, 2) == "ba");
  CHECK(path(*tail_call_program("abcd", {{'a', "b"}, {'a', "d"}, {'b', "c"}, {'d', ""}}), 0, 2)
            .empty());
}

TEST_CASE("structures with their members, those of anonymous ones included") {
  const std::uint16_t version = GENERATE(4, 5);
  const auto dwarf = open(elf_with(sample_sections(version)));
  const auto type = dwarf->struct_type("ns::Thing");
  REQUIRE(type);
  CHECK(type->name == "ns::Thing");
  CHECK(type->bytes == 24);
  std::string members;
  for (const DwarfMember& member : type->members)
    members += member.name + "@" + std::to_string(member.offset) + ":" +
               std::to_string(member.bytes) + " ";
  CHECK(members == "a@0:4 b@4:3 c@8:8 d@8:8 next@16:8 ");
  const auto missing = dwarf->struct_type("Thing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::not_found);
}

TEST_CASE("functions are found by name and by linkage name") {
  const auto dwarf = open(elf_with(sample_sections(5)));
  CHECK(dwarf->functions_named("second").value_or({}) == std::vector<Address>{{0x1060}});
  CHECK(dwarf->functions_named("in").value_or({{1}}).empty());  // Has no code of its own.
}

TEST_CASE("ranges of both forms: lists, bases, and indexed addresses") {
  ByteWriter v4, v5, addresses;
  v4.u64(0x10).u64(0x20).u64(~0ull).u64(0x3000).u64(0).u64(8).u64(0).u64(0);
  addresses.u64(0).u64(0x1000).u64(0x3000);  // addr_base is 8.
  v5.u32(0).u16(5).u8(8).u8(0).u32(1).u32(4);
  v5.u8(dw::RLE_base_addressx).u8(0).u8(dw::RLE_offset_pair).u8(0x10).u8(0x20);
  v5.u8(dw::RLE_startx_length).u8(1).u8(8).u8(dw::RLE_end_of_list);
  const bool modern = GENERATE(false, true);
  std::vector<B::Attribute> unit{B::address(dw::AT_low_pc, modern ? 0 : 0x1000)};
  B::Attribute ranges = B::offset(dw::AT_ranges, 0);
  if (modern) {
    unit.push_back(B::offset(dw::AT_addr_base, 8));
    unit.push_back(B::offset(dw::AT_rnglists_base, 12));
    ranges = {dw::AT_ranges, dw::FORM_rnglistx, std::uint64_t{0}};
  }
  unit.push_back(ranges);
  const B::Die function{dw::TAG_subprogram, {B::text(dw::AT_name, "split"), ranges}};
  const auto dwarf = open(elf_with(one_unit(modern ? 5 : 4, unit, {function},
                                            {{".debug_ranges", v4.take()},
                                             {".debug_rnglists", v5.take()},
                                             {".debug_addr", addresses.take()}})));
  for (const std::uint64_t inside : {0x1010, 0x101f, 0x3000, 0x3007})
    CHECK(shown(dwarf->frames_at({inside})) == "split :0\n");
  for (const std::uint64_t outside : {0x1000, 0x100f, 0x1020, 0x2fff, 0x3008})
    CHECK(shown(dwarf->frames_at({outside})).empty());
}

TEST_CASE("a unit in .debug_aranges is found through it, without its own ranges") {
  B builder(5);
  builder.unit({dw::TAG_compile_unit,
                {B::text(dw::AT_name, "a.c")},
                {{dw::TAG_subprogram,
                  {B::text(dw::AT_name, "listed"), B::address(dw::AT_low_pc, 0x1000),
                   B::number(dw::AT_high_pc, 0x10)}}}});
  ByteWriter aranges;
  aranges.u32(44).u16(2).u32(0).u8(8).u8(0).u32(0).u64(0x1000).u64(0x10).u64(0).u64(0);
  const auto dwarf = open(elf_with(builder.sections({{".debug_aranges", aranges.take()}})));
  CHECK(shown(dwarf->frames_at({0x1008})) == "listed :0\n");
  CHECK(shown(dwarf->frames_at({0x1010})).empty());
}

TEST_CASE("a unit that does not say what code it has is asked through its functions") {
  const auto dwarf =
      open(elf_with(one_unit(5, {B::text(dw::AT_name, "a.c")},
                             {{dw::TAG_subprogram,
                               {B::text(dw::AT_name, "f"), B::address(dw::AT_low_pc, 0x1000),
                                B::number(dw::AT_high_pc, 0x10)}}})));
  CHECK(shown(dwarf->frames_at({0x1008})) == "f :0\n");
}

TEST_CASE("code that the linker dropped does not hide code that it kept") {
  const B::Die dropped{dw::TAG_subprogram,
                       {B::text(dw::AT_name, "dropped"), B::address(dw::AT_low_pc, 0),
                        B::number(dw::AT_high_pc, 0x7000)}};
  const B::Die kept{dw::TAG_subprogram,
                    {B::text(dw::AT_name, "kept"), B::address(dw::AT_low_pc, 0x1000),
                     B::number(dw::AT_high_pc, 0x10)}};
  const auto dwarf = open(elf_with(one_unit(5, {B::text(dw::AT_name, "a.c")}, {kept, dropped})));
  CHECK(shown(dwarf->frames_at({0x1008})) == "kept :0\n");
}

TEST_CASE("references in a circle are an error") {
  const B::Die a{dw::TAG_subprogram,
                 {B::address(dw::AT_low_pc, 0x1000), B::number(dw::AT_high_pc, 0x10),
                  B::ref(dw::AT_abstract_origin, "a")},
                 {},
                 "a"};
  const B::Die ring{
      dw::TAG_typedef, {B::text(dw::AT_name, "ring"), B::ref(dw::AT_type, "ring")}, {}, "ring"};
  const B::Die inside{
      dw::TAG_structure_type,
      {B::text(dw::AT_name, "s")},
      {{dw::TAG_member, {B::ref(dw::AT_type, "s")}}, {dw::TAG_member, {B::ref(dw::AT_type, "s")}}},
      "s"};
  const B::Die user{dw::TAG_structure_type,
                    {B::text(dw::AT_name, "user")},
                    {{dw::TAG_member, {B::text(dw::AT_name, "m"), B::ref(dw::AT_type, "ring")}}}};
  const auto dwarf = open(
      elf_with(one_unit(5, {B::address(dw::AT_low_pc, 0x1000), B::number(dw::AT_high_pc, 0x100)},
                        {ring, inside, user})));
  CHECK_FALSE(dwarf->struct_type("s"));
  CHECK_FALSE(dwarf->struct_type("user"));
  const auto circle = open(elf_with(
      one_unit(5, {B::address(dw::AT_low_pc, 0x1000), B::number(dw::AT_high_pc, 0x100)}, {a})));
  CHECK_FALSE(circle->frames_at({0x1000}));
}

TEST_CASE("DWARF that is cut anywhere gives an error or less, and never a wrong frame") {
  const std::uint16_t version = GENERATE(4, 5);
  const auto whole = sample_sections(version);
  const std::string expected = shown(open(elf_with(whole))->frames_at({0x1014}));
  for (const auto& [name, contents] : whole) {
    for (std::size_t size = 0; size < contents.size(); ++size) {
      CAPTURE(name, size);
      auto cut = whole;
      cut[name].resize(size);
      const auto dwarf = open(elf_with(cut));
      const auto frames = dwarf->frames_at({0x1014});
      (void)dwarf->tail_calls({0x1035}, {0x1080});
      (void)dwarf->struct_type("ns::Thing");
      if (frames && !frames->empty()) CHECK(shown(frames) == expected);
    }
  }
}

TEST_CASE("a file without DWARF is told from one with DWARF") {
  const auto file = ElfFile::from_bytes(elf_with({}), "bare");
  REQUIRE(file);
  const auto dwarf = DwarfInfo::open(*file);
  REQUIRE_FALSE(dwarf);
  CHECK(dwarf.error().code == ErrorCode::not_found);
}

}  // namespace cgo
