#pragma once

#include <string>

#include "values/value_context.h"

namespace cgo {

/// Whether two types are the same one to Go: debug information, the runtime and the evaluator have
/// objects of their own for one type.
bool same_type(const Type* left, const Type* right);
/// Whether values of one type lie in memory as those of the other do: the same type, or with the
/// same elements or fields behind two names. False where that cannot be told.
bool same_form(const Type* left, const Type* right);
/// Whether Go's == takes values of the type.
Result<void> check_comparable(const Type* type);

}  // namespace cgo
