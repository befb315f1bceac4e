#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "target/address.h"
#include "target/byte_view.h"
#include "target/memory_reader.h"

namespace cgo {

struct SweepLimits {
  std::uint64_t overlap = 0;  ///< Bytes of a piece that the next one begins with; a multiple of 8.
  std::uint64_t most_bytes = 0;
};

struct SweepResult {
  std::uint64_t bytes = 0, unread_bytes = 0;
  bool cut = false;  ///< There was more than most_bytes.
};

/// Reads all of `ranges` in pieces, each beginning at a multiple of 8. What cannot be read is left
/// out and counted.
SweepResult sweep_memory(const MemoryReader& memory, std::span<const AddressRange> ranges,
                         const SweepLimits& limits,
                         const std::function<void(Address at, ByteView bytes)>& visit);

}  // namespace cgo
