#include "stops/sysv_call.h"

#include <catch2/catch_test_macros.hpp>

#include "values/made_types.h"

namespace cgo {
namespace {

using Place = PassedValue::Place;

std::string text(const std::optional<PassedValue>& value) {
  if (!value) return "?";
  if (value->stack_offset) return "sp+" + std::to_string(*value->stack_offset);
  std::string out;
  for (const PassedValue::Part& part : value->parts)
    out += (part.place == Place::sse_register ? "x" : "i") + std::to_string(part.index);
  return out;
}

std::string text(std::span<const Type* const> types, bool result_in_memory = false) {
  std::string out;
  for (const auto& one : passed_arguments(types, result_in_memory)) out += text(one) + " ";
  return out;
}

}  // namespace

// As gcc compiles a function with such parameters, by hand from its code.
TEST_CASE("arguments are where the ABI puts them") {
  MadeTypes made;
  const Type* number = made.predeclared("int32");
  const Type* real = made.predeclared("float64");
  CHECK(text(std::vector{number, real, number, real}) == "i0 x0 i1 x1 ");
  CHECK(text(std::vector{number, number, number, number, number, number, number, number}) ==
        "i0 i1 i2 i3 i4 i5 sp+8 sp+16 ");
  CHECK(text(std::vector{number, real}, true) == "i1 x0 ");
  CHECK(text(std::vector<const Type*>{number, nullptr, number}) == "i0 ? ? ");
  CHECK(text(std::vector<const Type*>{}).empty());
}

TEST_CASE("results are in rax and xmm0") {
  MadeTypes made;
  CHECK(text(passed_result(*made.predeclared("uint8"))) == "i0");
  CHECK(text(passed_result(*made.predeclared("float32"))) == "x0");
  CHECK(text(passed_result(*made.pointer_to(made.predeclared("int"), "int *", false))) == "i0");
}

}  // namespace cgo
