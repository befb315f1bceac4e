#pragma once

#include <vector>

#include "values/frame_variables.h"
#include "values/value_context.h"

namespace cgo {

/// Gives variables whose type is a type parameter of a generic function ("T", in debug information
/// ".param0") the type it stands for, as the function's dictionary says; the shape the code was
/// compiled for where the dictionary is not known in this frame.
void resolve_type_parameters(const ValueContext& context, std::vector<FrameVariable>& variables);

}  // namespace cgo
