#pragma once

#include "values/value_context.h"

namespace cgo {

/// The type of C that a type was made from by cgo (main._Ctype_struct_x, main._Ctype_color_t), as
/// debug information of C has it; null where there is none, or none that agrees in size and fields.
const Type* c_counterpart(const ValueContext& context, const Type& type);
/// Whether cgo made the type from one of C.
bool is_made_by_cgo(const Type& type);

/// What a pointer points at, as pointee_of has it. Where Go knows of a C structure no more than its
/// name (a pointer to main._Ctype_struct_x without fields), it is the structure as C defines it, if
/// debug information has that.
Result<Datum> pointee_in(const ValueContext& context, const Datum& pointer);

}  // namespace cgo
