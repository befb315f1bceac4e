#pragma once

#include "values/value_context.h"

namespace cgo {

/// The value behind a runtime/cgo.Handle: what is in the interface that NewHandle was given.
/// not_found for a handle that is not in use.
Result<Datum> value_of_handle(const ValueContext& context, std::uint64_t handle);

}  // namespace cgo
