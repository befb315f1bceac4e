#pragma once

#include <string_view>

#include "values/value.h"

namespace cgo {

/// The chain of contexts that begins with a context.Context, the innermost first: one child for
/// each, with its type as `type_name`, what it adds as `text`, and its key, value, deadline, error
/// and cause as children. A chain that cannot be followed ends with the reason.
Value read_context_chain(const ValueContext& context, std::string name, const Datum& interface,
                         const ReadLimits& limits);

/// "background", "TODO", or both where it is not known: up to Go 1.20 the two have one type and
/// differ by where they lie. Source: src/context/context.go, background.
std::string_view empty_context(const ValueContext& context, Address at);

}  // namespace cgo
