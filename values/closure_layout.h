#pragma once

#include <cstdint>

#include "values/value_context.h"

namespace cgo {

/// What a closure has of a variable it captured.
enum class Held : std::uint8_t {
  value,
  address,
  unknown,  ///< One of them: debug information is the same for both.
};

/// Whether the compiler may keep a captured variable of the type in the closure itself and yet name
/// it "&x", as one that is captured by reference.
bool may_be_held_as_value(const Type& type);

/// Tells how `closure` holds `variable`. `room` is how many bytes it has for it at most.
Held how_held(const ValueContext& context, Address closure, const CapturedVariable& variable,
              std::uint64_t room);

}  // namespace cgo
