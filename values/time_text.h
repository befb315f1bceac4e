#pragma once

#include <cstdint>
#include <string>

#include "values/time_zone.h"

namespace cgo {

/// A moment on the calendar, in UTC.
struct CivilTime {
  std::int64_t year = 0, month = 1, day = 1;  ///< Month and day from 1.
  std::int64_t hour = 0, minute = 0, second = 0;
};
CivilTime civil_time(std::int64_t unix_seconds);
/// Of the first day of a year.
std::int64_t days_since_1970(std::int64_t year);

/// "2024-05-17 12:20:30.4 +0200 CEST": seconds since 1970 and nanoseconds, as Time.String writes
/// them in a zone.
std::string time_text(std::int64_t unix_seconds, std::uint32_t nanoseconds, const TimeZone& zone);
/// " m=+0.000012345": as Time.String writes the monotonic clock, which counts from the start of the
/// program.
std::string monotonic_text(std::int64_t nanoseconds);
/// "1h2m3.5s", "300ms", "0s": as time.Duration writes itself.
std::string duration_text(std::int64_t nanoseconds);

}  // namespace cgo
