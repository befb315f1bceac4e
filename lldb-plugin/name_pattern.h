#pragma once

#include <memory>
#include <string>

#include "target/result.h"

namespace cgo {

/// A POSIX extended regular expression, as LLDB's own commands take them. Of the C library:
/// std::regex is code of templates in every library, and in a debugger that of LLVM's is found
/// first, which is compiled without exceptions and ends the process for a wrong expression.
class NamePattern {
 public:
  /// invalid: what is wrong with it.
  static Result<NamePattern> compile(const std::string& text);
  /// Whether a part of `name` fits.
  bool found_in(const std::string& name) const;

 private:
  struct Compiled;
  explicit NamePattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace cgo
