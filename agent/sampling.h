#pragma once

#include <cstdint>

namespace cgo::agent {

/// How many bytes are allocated until the next sample, so that every byte has the same chance:
/// exponential, with the mean of the header. -1 when every allocation is recorded.
std::int64_t bytes_to_next_sample(std::uint64_t& random);

}  // namespace cgo::agent
