#pragma once

#include <cstdint>

namespace cgo::agent {

/// What LLDB_CGO_AGENT says: words with commas between them.
struct Options {
  std::uint64_t sample_bytes = 0;      ///< "sample=BYTES": on average one sample in so many bytes.
  std::uint64_t quarantine_bytes = 0;  ///< "quarantine=BYTES": of freed blocks that a thread holds.
  std::uint32_t kept_frees = 1024;     ///< "frees=N": of each thread; a power of two at most 65536.
  std::uint32_t most_frames = 128;     ///< "depth=N": of a stack, at most kMostFrames.
};

/// Words that are not understood are passed over; numbers may end with k, m or g.
Options parse_options(const char* text);

}  // namespace cgo::agent
