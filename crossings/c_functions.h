#pragma once

#include <string>
#include <string_view>

#include "crossings/catalogue.h"

namespace cgo {

/// The C function `name` behind cgo's stub at `stub`: where the stub's code calls or jumps to, by a
/// symbol of that name. Source: src/cmd/cgo/out.go, writeOutputFunc.
CFunction c_function_behind(const MemoryReader& memory, const ImageMap& images, Address stub,
                            std::string_view name);

/// The function `name` among the symbols of an image, or of any image when it is not there.
CFunction c_function_named(const ImageMap& images, const Image* first, std::string_view name);

}  // namespace cgo
