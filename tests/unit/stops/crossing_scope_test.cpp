#include "stops/crossing_scope.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "support/memory_image.h"
#include "values/made_types.h"

namespace cgo {
namespace {

class NoProgram final : public ValueContext {
 public:
  const MemoryReader& memory() const override { return memory_; }

 private:
  MemoryImage memory_;
};

Result<bool> holds(std::string_view text, const CrossingScope& scope) {
  std::optional<ExpressionError> failure;
  const auto condition = CrossingCondition::parse(text, failure);
  if (!condition) return failure->error;
  return condition->holds(NoProgram(), scope);
}

}  // namespace

TEST_CASE("conditions use what a stop has") {
  CrossingScope scope;
  MadeTypes types;
  std::vector<std::byte> bytes(4);
  const std::int32_t number = -3;
  std::memcpy(bytes.data(), &number, sizeof number);
  scope.set_argument("left", Datum{.type = types.predeclared("int32"), .bytes = bytes});
  scope.set_number("depth", 2);
  scope.set_number("errno", 11);
  CHECK(*holds("args.left == -3", scope));
  CHECK(*holds("args.left < 0 && depth == 2", scope));
  CHECK_FALSE(*holds("errno != 11 || depth > 2", scope));
  CHECK(*holds("args.left*2 + 7 == 1", scope));
  CHECK(*holds("errno", scope));
}

TEST_CASE("what a stop does not have is said") {
  CrossingScope scope;
  const auto result = holds("result == 1", scope);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "there is no result at this stop");
  scope.set_argument("a", Error{ErrorCode::unreadable_memory, "cannot read"});
  const auto unknown = holds("args.b == 1", scope);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "there is no args.b; there is args.a");
  CHECK_FALSE(holds("args.a == 1", scope));
  CHECK_FALSE(holds("args.a ==", scope));
  CHECK_FALSE(holds("", scope));
}

}  // namespace cgo
