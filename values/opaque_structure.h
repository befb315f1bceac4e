#pragma once

#include "values/value_context.h"

namespace cgo {

/// What a pointer points at, as pointee_of has it. Where Go knows of a C structure no more than its
/// name (a pointer to main._Ctype_struct_x without fields), it is the structure as C defines it, if
/// debug information has that.
Result<Datum> pointee_in(const ValueContext& context, const Datum& pointer);

}  // namespace cgo
