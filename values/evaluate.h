#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "values/expression.h"
#include "values/made_types.h"
#include "values/value_context.h"

namespace cgo {

/// The names an expression may use beside those of packages: the variables of a frame.
class NameScope {
 public:
  virtual ~NameScope() = default;
  /// The innermost variable of this name. not_found when there is none; another error when there is
  /// one that cannot be read here.
  virtual Result<Datum> variable(std::string_view name) const = 0;
  /// All names, innermost first: for suggestions and completion.
  virtual std::vector<std::string> names() const { return {}; }
  /// The import path of the frame's package, "main", so that its variables need no qualifier;
  /// empty in C.
  virtual std::string package() const { return {}; }
};

/// What an expression is worth, or what is wrong with it and where.
struct Evaluation {
  std::optional<Datum> datum;
  std::optional<ExpressionError> failure;
};

/// Evaluates expressions with the rules of Go; values of C take part with those of C. Reads memory
/// and calls nothing. Keep it as long as the results: it owns the types it had to make.
class Evaluator {
 public:
  /// `scope` may be null: only package variables then.
  Evaluator(const ValueContext& context, const NameScope* scope)
      : context_(context), scope_(scope) {}

  Evaluation evaluate(std::string_view text);
  Evaluation evaluate(const Expression& tree);

 private:
  const ValueContext& context_;
  const NameScope* scope_;
  MadeTypes types_;
};

/// Whether two values are equal as Go's == has it; also for map keys. Fails where a part cannot be
/// read, and for types that cannot be compared.
Result<bool> equal_values(const ValueContext& context, const Datum& left, const Datum& right);

/// What an interface holds, with its dynamic type; nothing for the nil interface.
Result<std::optional<Datum>> dynamic_value(const ValueContext& context, const Datum& interface);

/// The names of `all` that are most like `name`, the most alike first; empty when none is near.
std::vector<std::string> similar_names(std::string_view name, const std::vector<std::string>& all);

}  // namespace cgo
