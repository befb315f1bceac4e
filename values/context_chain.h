#pragma once

#include "values/value.h"

namespace cgo {

/// The chain of contexts that begins with a context.Context, the innermost first: one child for
/// each, with its type as `type_name`, what it adds as `text`, and its key, value, deadline, error
/// and cause as children. A chain that cannot be followed ends with the reason.
Value read_context_chain(const ValueContext& context, std::string name, const Datum& interface,
                         const ReadLimits& limits);

}  // namespace cgo
