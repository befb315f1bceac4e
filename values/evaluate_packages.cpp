#include <algorithm>

#include "values/evaluator_walk.h"

namespace cgo {
namespace {

/// The linker's spelling of an import path: "gopkg.in/yaml%2ev3".
/// Source: src/cmd/internal/objabi/path.go, PathToPrefix: dots behind the last slash.
std::string linker_path(std::string_view path) {
  const std::size_t last = path.rfind('/') + 1;
  std::string out(path.substr(0, last));
  for (const char c : path.substr(last)) {
    if (c == '.')
      out += "%2e";
    else
      out += c;
  }
  return out;
}

/// "math/rand.Reader", written so that it can be used: "math/rand".Reader.
std::string quoted_form(std::string_view whole, std::size_t name_bytes) {
  const std::string_view path = whole.substr(0, whole.size() - name_bytes - 1);
  return '"' + std::string(path) + "\"" + std::string(whole.substr(path.size()));
}

Error ambiguous(const std::string& package, const std::string& name,
                const std::vector<std::string>& found) {
  std::string message = "\"" + package + "." + name + "\" is in several packages: ";
  for (std::size_t i = 0; i < found.size(); ++i)
    message += (i == 0                  ? ""
                : i + 1 == found.size() ? " or "
                                        : ", ") +
               quoted_form(found[i], name.size());
  return {ErrorCode::unsupported, std::move(message)};
}

}  // namespace

std::vector<std::vector<std::string>> EvaluatorWalk::whole_names(const std::string& package,
                                                                 const std::string& name) const {
  std::vector<std::string> own, others;
  for (const std::string& path : context_.packages_named(package)) {
    auto& list = path == package ? own : others;
    list.push_back(path + "." + name);
    if (std::string linked = linker_path(path); linked != path)
      list.push_back(std::move(linked) + "." + name);
  }
  return {std::move(own), std::move(others)};
}

Result<Datum> EvaluatorWalk::package_variable(const std::string& package, const std::string& name) {
  for (const std::vector<std::string>& names : whole_names(package, name)) {
    std::vector<std::string> holders;
    std::optional<Datum> found;
    for (const std::string& whole : names) {
      auto variable = context_.variable_named(whole);
      if (!variable && variable.error().code != ErrorCode::not_found) return variable;
      if (!variable) continue;
      holders.push_back(whole);
      found = *std::move(variable);
    }
    if (holders.size() > 1) return ambiguous(package, name, holders);
    if (found) return *std::move(found);
  }
  return Error{ErrorCode::not_found, "no package has \"" + package + "." + name + "\""};
}

Result<std::string> EvaluatorWalk::package_type(const std::string& package,
                                                const std::string& name) {
  const auto all = whole_names(package, name);
  // Nothing to choose from: the caller looks it up.
  if (all.back().empty()) return package + "." + name;
  for (const std::vector<std::string>& names : all) {
    std::vector<std::string> holders;
    for (const std::string& whole : names)
      if (context_.type_named(whole)) holders.push_back(whole);
    if (holders.size() > 1) return ambiguous(package, name, holders);
    if (!holders.empty()) return std::move(holders.front());
  }
  return package + "." + name;
}

}  // namespace cgo
