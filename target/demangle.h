#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cgo {

/// The C++ name that `symbol` stands for ("ns::f(int)"), or nothing when it is not a mangled name.
/// A name of more than 8 KiB is left as it is.
std::optional<std::string> demangle(std::string_view symbol);

}  // namespace cgo
