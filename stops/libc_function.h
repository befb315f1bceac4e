#pragma once

#include <cstdint>
#include <functional>

#include "target/byte_view.h"
#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// What `read` learns from the first `bytes` bytes of the function `name` (and what follows it,
/// where it is shorter), of the first image whose function it understands. not_found when no image
/// has one.
Result<std::int64_t> learn_from_code(
    const MemoryReader& memory, const ImageMap& images, const char* name, std::uint64_t bytes,
    const std::function<Result<std::int64_t>(Address entry, ByteView code)>& read);

}  // namespace cgo
