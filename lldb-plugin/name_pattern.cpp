#include "lldb-plugin/name_pattern.h"

#include <regex.h>

namespace cgo {

struct NamePattern::Compiled {
  regex_t regex{};
  bool made = false;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (made) regfree(&regex);
  }
};

Result<NamePattern> NamePattern::compile(const std::string& text) {
  auto compiled = std::make_shared<Compiled>();
  const int status = regcomp(&compiled->regex, text.c_str(), REG_EXTENDED | REG_NOSUB);
  compiled->made = status == 0;
  if (compiled->made) return NamePattern(std::move(compiled));
  char why[200] = {};
  regerror(status, &compiled->regex, why, sizeof why);
  return Error{ErrorCode::malformed_data, why};
}

bool NamePattern::found_in(const std::string& name) const {
  return regexec(&compiled_->regex, name.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace cgo
