#include "agent/sampling.h"

#include <bit>

#include "agent/tables.h"

namespace cgo::agent {
namespace {

/// For 0 < value < 2^53; good to four digits. The agent has no mathematical library.
double log2_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<int>(bits >> 52) - 1023;
  const double m = std::bit_cast<double>((bits & ((1ull << 52) - 1)) | (1023ull << 52));
  // A polynomial through log2 on [1, 2).
  const double log2_m =
      -2.7868130 +
      m * (5.0468752 + m * (-3.4924785 + m * (1.5939128 + m * (-0.4048681 + m * 0.0434283))));
  return exponent + log2_m;
}

}  // namespace

std::int64_t bytes_to_next_sample(std::uint64_t& random) {
  const std::uint64_t mean = header().sample_bytes;
  if (mean == 0) return -1;
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  constexpr double kLn2 = 0.6931471805599453;
  constexpr unsigned kBits = 32;
  const double uniform = static_cast<double>(random >> (64 - kBits)) + 1;
  const double bytes = (kBits - log2_of(uniform)) * kLn2 * static_cast<double>(mean);
  return bytes < 1 ? 1 : static_cast<std::int64_t>(bytes);
}

}  // namespace cgo::agent
