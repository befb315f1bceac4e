#include "stops/crossing_scope.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

constexpr std::string_view kArguments = "args.";

/// `args.NAME` as one name: there is no structure behind it.
void join_argument_names(Expression& tree) {
  for (const auto& part : tree.parts)
    if (part) join_argument_names(*part);
  if (tree.kind != Expression::Kind::field || tree.parts.empty() || !tree.parts[0]) return;
  const Expression& of = *tree.parts[0];
  if (of.kind != Expression::Kind::name || of.text != kArguments.substr(0, 4)) return;
  tree.kind = Expression::Kind::name;
  tree.text = std::string(kArguments) + tree.text;
  tree.parts.clear();
}

bool has_name(const Expression& tree, std::string_view name) {
  if (tree.kind == Expression::Kind::name && tree.text == name) return true;
  return std::ranges::any_of(tree.parts,
                             [&](const auto& part) { return part && has_name(*part, name); });
}

}  // namespace

CrossingScope::CrossingScope() {
  // Not not_found: a variable of the program with this name is not what was meant.
  for (const char* name : {"result", "errno", "goroutine", "thread", "duration_ns", "depth"})
    values_.emplace(
        name, Error{ErrorCode::unsupported, "there is no " + std::string(name) + " at this stop"});
}

void CrossingScope::set(const std::string& name, Result<Datum> value) {
  values_.insert_or_assign(name, std::move(value));
}

void CrossingScope::set_argument(const std::string& name, Result<Datum> value) {
  set(std::string(kArguments) + name, std::move(value));
}

void CrossingScope::set_number(const std::string& name, std::int64_t value) {
  std::vector<std::byte> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  set(name, Datum{.type = types_.predeclared("int64"), .bytes = std::move(bytes)});
}

Result<Datum> CrossingScope::variable(std::string_view name) const {
  const auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  std::string message = "there is no " + std::string(name);
  if (!name.starts_with(kArguments)) return Error{ErrorCode::not_found, message};
  std::string known;
  for (const auto& [other, value] : values_)
    if (other.starts_with(kArguments)) known += (known.empty() ? "" : ", ") + other;
  message += known.empty() ? "; the arguments are not known" : "; there is " + known;
  return Error{ErrorCode::unsupported, message};
}

std::vector<std::string> CrossingScope::names() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : values_) out.push_back(name);
  return out;
}

std::unique_ptr<const CrossingCondition> CrossingCondition::parse(
    std::string_view text, std::optional<ExpressionError>& failure) {
  ParsedExpression parsed = parse_expression(text);
  failure = std::move(parsed.failure);
  if (!parsed.tree) return nullptr;
  join_argument_names(*parsed.tree);
  auto out = std::make_unique<CrossingCondition>();
  out->tree_ = std::move(parsed.tree);
  return out;
}

bool CrossingCondition::uses(std::string_view name) const { return has_name(*tree_, name); }

Result<bool> CrossingCondition::holds(const ValueContext& context,
                                      const CrossingScope& scope) const {
  Evaluator evaluator(context, &scope);
  const Evaluation result = evaluator.evaluate(*tree_);
  if (result.failure) return result.failure->error;
  const auto number = load_unsigned(context.memory(), *result.datum);
  if (!number)
    return Error{number.error().code,
                 "the condition is neither a boolean nor a number: " + number.error().message};
  return *number != 0;
}

}  // namespace cgo
