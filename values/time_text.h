#pragma once

#include <cstdint>
#include <string>

namespace cgo {

/// "2024-05-17T10:20:30.4Z": seconds since 1970 and nanoseconds, as time.RFC3339Nano writes UTC.
std::string time_text(std::int64_t unix_seconds, std::uint32_t nanoseconds);
/// "1h2m3.5s", "300ms", "0s": as time.Duration writes itself.
std::string duration_text(std::int64_t nanoseconds);

}  // namespace cgo
