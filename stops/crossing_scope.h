#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "values/evaluate.h"

namespace cgo {

/// The names that a condition of `cgo break` has beside the program's own: args.NAME, result,
/// errno, goroutine, thread, duration_ns, depth. What a stop does not have (the result, at an
/// entry) fails with why.
class CrossingScope final : public NameScope {
 public:
  CrossingScope();

  /// Replace what was there.
  void set_argument(const std::string& name, Result<Datum> value);
  void set(const std::string& name, Result<Datum> value);
  void set_number(const std::string& name, std::int64_t value);

  Result<Datum> variable(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  MadeTypes types_;
  std::map<std::string, Result<Datum>, std::less<>> values_;
};

/// A condition, parsed once. `args.NAME` is one name in it.
class CrossingCondition {
 public:
  /// What is wrong with the text, and where; nothing when it can be used.
  static std::unique_ptr<const CrossingCondition> parse(std::string_view text,
                                                        std::optional<ExpressionError>& failure);

  /// Whether it holds. Fails where a part cannot be read, or it is neither a boolean nor a number.
  Result<bool> holds(const ValueContext& context, const CrossingScope& scope) const;
  /// Whether a name stands in it.
  bool uses(std::string_view name) const;

 private:
  std::unique_ptr<const Expression> tree_;
};

}  // namespace cgo
