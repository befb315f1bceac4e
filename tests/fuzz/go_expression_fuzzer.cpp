// Expressions: tokens, trees, errors, and evaluation over a few variables. Input: the text.
#include <cstdint>
#include <string_view>

#include "support/test_context.h"
#include "values/evaluate.h"
#include "values/format_value.h"

namespace cgo {
namespace {

struct World {
  World() : build({27, 4}) {
    const Address integer = build.basic(GoKind::int_, 8, "int");
    const Address text = build.basic(GoKind::string, 16, "string");
    const Address list = build.slice(integer, "[]int");
    const Address any = build.interface({}, "interface {}");
    const Address at = build.data(96);
    build.memory().u64(at, 7).u64({at.value + 8}, at.value).u64({at.value + 16}, 8);
    build.memory().u64({at.value + 32}, at.value).u64({at.value + 40}, 4).u64({at.value + 48}, 8);
    build.memory().u64({at.value + 64}, integer.value).u64({at.value + 72}, at.value);
    context.emplace(build);
    context->variables = {{"n", context->datum(integer, at)},
                          {"s", context->datum(text, {at.value + 8})},
                          {"l", context->datum(list, {at.value + 32})},
                          {"i", context->datum(any, {at.value + 64})}};
  }
  TypeBuilder build;
  std::optional<TestContext> context;
};

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  static const World world;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Evaluator evaluator(*world.context, nullptr);
  const Evaluation result = evaluator.evaluate(text);
  if (result.failure) (void)format_expression_error(text, *result.failure);
  if (result.datum) (void)format_text(read_value(*world.context, "x", *result.datum));
  return 0;
}
