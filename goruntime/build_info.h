#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "target/byte_view.h"
#include "target/result.h"

namespace cgo {

/// Where build information begins in `data`, which starts at an address that is a multiple of 16;
/// or nothing.
std::optional<std::size_t> find_build_info(ByteView data);

/// The Go version ("go1.25.3 X:…") in build information that begins at the first byte of `blob`.
/// unsupported for the form that Go 1.17 and older wrote.
Result<std::string> decode_build_info(ByteView blob);

}  // namespace cgo
