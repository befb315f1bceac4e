#pragma once

#include <optional>
#include <string>
#include <vector>

#include "values/value_context.h"

namespace cgo {

/// What an error of Go says, where its type keeps that as plain text; and the types of the errors
/// it wraps, outermost first. Nothing for types whose Error method computes it.
struct ErrorText {
  std::optional<std::string> text;
  std::vector<std::string> chain;
  bool chain_cut = false;     ///< There are more, or they go in a circle.
  bool text_cut = false;      ///< A piece of the text is longer than is read.
  std::optional<Error> lost;  ///< Why the next error of the chain is not known.
};
/// `error`: a value of an interface type.
ErrorText error_text(const ValueContext& context, const Datum& error);

/// What Linux calls an error number, as package syscall words it; empty for an unknown one.
std::string errno_text(std::uint64_t number);

}  // namespace cgo
