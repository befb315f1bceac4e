#include "values/frame_scope.h"

namespace cgo {

FrameScope::FrameScope(std::vector<FrameVariable> variables, Language language,
                       std::string_view function)
    : variables_(std::move(variables)),
      package_(language == Language::go ? package_of_function(function) : std::string()) {}

Result<Datum> FrameScope::variable(std::string_view name) const {
  const FrameVariable* found = visible_variable(variables_, name);
  if (found == nullptr)
    return Error{ErrorCode::not_found, "this frame has no variable " + std::string(name)};
  if (found->datum) return *found->datum;
  // That it cannot be shown is no reason to look for another one of the name.
  Error error = *found->error;
  if (error.code == ErrorCode::not_found) error.code = ErrorCode::unsupported;
  return std::move(error).in(name);
}

std::vector<std::string> FrameScope::names() const {
  std::vector<std::string> out;
  for (const FrameVariable& variable : variables_)
    if (!variable.shadowed && !variable.hidden && !variable.name.empty())
      out.push_back(variable.name);
  return out;
}

std::string package_of_function(std::string_view function) {
  // Type arguments may have slashes and dots of their own.
  function = function.substr(0, function.find('['));
  const std::size_t slash = function.rfind('/');
  const std::size_t dot = function.find('.', slash == std::string_view::npos ? 0 : slash);
  return dot == std::string_view::npos ? std::string() : std::string(function.substr(0, dot));
}

}  // namespace cgo
