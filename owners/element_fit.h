#pragma once

#include <algorithm>
#include <cstdint>

namespace cgo {

/// Whether an element of the Go heap may be the one that a value of so many bytes gets: size
/// classes lie 8 bytes apart up to 32, 16 up to 128, and waste an eighth at most beyond.
/// Source: src/runtime/sizeclasses.go.
inline bool fits_element(std::uint64_t bytes, std::uint64_t element_bytes) {
  if (bytes == 0 || bytes > element_bytes) return false;
  const std::uint64_t waste = element_bytes - bytes;
  if (element_bytes <= 32) return waste < 8;
  if (element_bytes <= 128) return waste < 16;
  return waste <= std::max<std::uint64_t>(32, bytes / 7);
}

}  // namespace cgo
