#include "values/c_layout.h"

#include <catch2/catch_test_macros.hpp>

#include "support/test_context.h"

namespace cgo {
namespace {

std::string text_of(const CLayout& layout) {
  std::string out;
  for (const CDefinition& one : layout.definitions) out += one.name + ": " + one.text + "\n";
  return out;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("names of Go as names of C") {
  CHECK(c_identifier("main.Thing") == "main_Thing");
  CHECK(c_identifier("example.com/a/b.T") == "example_com_a_b_T");
  CHECK(c_identifier("main.Pair[int,string]") == "main_Pair_int_string");
  CHECK(c_identifier("class") == "class_");
  CHECK(c_identifier("*main.T") == "main_T");
  CHECK(c_identifier("9lives") == "_9lives");
  CHECK(c_identifier("\xc3\x9c") == "_xc3_x9c");
  CHECK(c_identifier("") == "_");
  CHECK(c_identifier("_cgo0") == "_cgo0");
}

TEST_CASE("a structure of Go in C has gaps, strings, slices and itself") {
  TypeBuilder build(GoVersion{27, 4});
  const Address byte = build.basic(GoKind::uint8, 1, "uint8");
  const Address integer = build.basic(GoKind::int_, 8, "int");
  const Address text = build.basic(GoKind::string, 16, "string");
  const Address list = build.slice(integer, "[]int");
  const Address point =
      build.structure({{"X", byte, 0}, {"Y", integer, 8}}, 16, "main.Point", "main");
  const Address pointer = build.pointer(point, "*main.Point");
  const Address record = build.structure({{"Flag", byte, 0},
                                          {"Name", text, 8},
                                          {"List", list, 24},
                                          {"Where", pointer, 48},
                                          {"class", byte, 56}},
                                         64, "main.Record", "main");
  const Address at = build.data(64);
  const TestContext context(build);
  const Datum datum = context.datum(record, at);

  const auto layout = c_layout_of(context, *datum.type, 3);
  REQUIRE(layout);
  const std::string whole = text_of(*layout);
  CHECK(layout->before == "$main_Record *");
  CHECK_FALSE(layout->simplified);
  CHECK(has(whole,
            "unsigned char Flag; $string Name __attribute__((aligned(8))); "
            "$slice_int List; $main_Point *Where; unsigned char class_; }"));
  CHECK(has(whole, "{ long *data; long len; long cap; }"));
  CHECK(layout->definitions.back().name == "$main_Point");

  const auto flat = c_layout_of(context, *datum.type, 0);
  REQUIRE(flat);
  CHECK(flat->simplified);
  CHECK(has(text_of(*flat), "void *Where;"));

  const auto renamed = c_layout_of(context, *datum.type, 3, {{"$main_Point", "$main_Point_2"}});
  REQUIRE(renamed);
  CHECK(has(text_of(*renamed), "$main_Point_2 *Where;"));
}

TEST_CASE("a pointer to a pointer needs no definition") {
  TypeBuilder build(GoVersion{27, 4});
  const Address integer = build.basic(GoKind::int_, 8, "int");
  const Address pointer = build.pointer(integer, "*int");
  const Address at = build.data(8);
  const TestContext context(build);
  const auto layout = c_layout_of(context, *context.datum(pointer, at).type, 3);
  REQUIRE(layout);
  CHECK(layout->before == "long **");
  CHECK(layout->definitions.empty());
}

}  // namespace cgo
