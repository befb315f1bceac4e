#pragma once

#include <string>
#include <utility>
#include <vector>

#include "values/evaluate.h"
#include "values/frame_variables.h"

namespace cgo {

/// The names that an expression in a frame may use: its variables, of which the innermost counts.
class FrameScope final : public NameScope {
 public:
  /// `function`: of the frame, as the stack has it; tells the package where it is a Go function.
  FrameScope(std::vector<FrameVariable> variables, Language language, std::string_view function);

  Result<Datum> variable(std::string_view name) const override;
  std::vector<std::string> names() const override;
  std::string package() const override { return package_; }

  const std::vector<FrameVariable>& variables() const { return variables_; }

 private:
  std::vector<FrameVariable> variables_;
  std::string package_;
};

/// "path/to/pkg" of "path/to/pkg.(*T).Method[...]"; empty when there is none.
std::string package_of_function(std::string_view function);

}  // namespace cgo
