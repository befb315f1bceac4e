#pragma once

#include <string>

#include "values/value.h"

namespace cgo {

/// The value on one line, at most about `columns` wide: "{X: 1, Name: \"a\"}", "[3]{1, 2, …}".
std::string format_inline(const Value& value, std::size_t columns = 100);

/// The value for people: "name type = value", on one line where it fits into `columns`, else its
/// parts indented below. Ends with a newline.
std::string format_text(const Value& value, std::size_t columns = 120);

/// The value as JSON: {"name","type","address","value","children",…}; see docs/commands.md for the
/// keys. Valid UTF-8 whatever the debuggee holds.
std::string format_json(const Value& value);

}  // namespace cgo
