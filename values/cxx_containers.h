#pragma once

#include "values/value_reader.h"

namespace cgo {

/// Whether the type is one of libstdc++'s that is shown by what it means instead of by its fields.
bool is_cxx_container(const Type& type);

/// Shows what such a value means: a text, elements, entries, or what it holds. Fails where its
/// fields are not those that are known or cannot be right, and leaves the value as it was.
Result<void> read_cxx_container(ValueReader& reader, Value& value, unsigned depth);

}  // namespace cgo
