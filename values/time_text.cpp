#include "values/time_text.h"

#include <fmt/format.h>

namespace cgo {
namespace {

/// ".4" of 400 million billionths; "" of none.
std::string fraction(std::uint64_t value, int digits) {
  if (value == 0) return {};
  std::string text = fmt::format("{:0{}}", value, digits);
  text.resize(text.find_last_not_of('0') + 1);
  return "." + text;
}

/// "+0130". Source: src/time/format.go, stdNumTZ: seconds are cut off.
std::string offset_text(std::int64_t seconds) {
  const std::int64_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  // Go divides first, so that less than a minute has no sign of its own.
  return fmt::format("{}{:02}{:02}", seconds / 60 < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace

CivilTime civil_time(std::int64_t unix_seconds) {
  constexpr std::int64_t kDay = 86400;
  std::int64_t days = unix_seconds / kDay, second = unix_seconds % kDay;
  if (second < 0) {
    second += kDay;
    --days;
  }
  // Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1,
          .hour = second / 3600,
          .minute = second / 60 % 60,
          .second = second % 60};
}

std::int64_t days_since_1970(std::int64_t year) {
  // Of the years before, those divisible by 4, not by 100, but by 400 have a day more.
  const std::int64_t before = year - 1;
  const auto floor = [](std::int64_t value, std::int64_t by) {
    return value >= 0 ? value / by : -((by - 1 - value) / by);
  };
  return before * 365 + floor(before, 4) - floor(before, 100) + floor(before, 400) - 719162;
}

std::string time_text(std::int64_t unix_seconds, std::uint32_t nanoseconds, const TimeZone& zone) {
  const CivilTime t = civil_time(unix_seconds + zone.offset);
  const std::string offset = offset_text(zone.offset);
  // The sign comes before the four digits. A zone without a name is its offset.
  return fmt::format("{}{:04}-{:02}-{:02} {:02}:{:02}:{:02}{} {} {}", t.year < 0 ? "-" : "",
                     t.year < 0 ? -t.year : t.year, t.month, t.day, t.hour, t.minute, t.second,
                     fraction(nanoseconds, 9), offset, zone.name.empty() ? offset : zone.name);
}

std::string monotonic_text(std::int64_t nanoseconds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::uint64_t all = nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds)
                                            : static_cast<std::uint64_t>(nanoseconds);
  return fmt::format(" m={}{}.{:09}", nanoseconds < 0 ? '-' : '+', all / kSecond, all % kSecond);
}

std::string duration_text(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  const std::uint64_t all = negative ? 0 - static_cast<std::uint64_t>(nanoseconds)
                                     : static_cast<std::uint64_t>(nanoseconds);
  const std::string sign = negative ? "-" : "";
  if (all < 1000) return fmt::format("{}{}ns", sign, all);
  if (all < 1'000'000) return fmt::format("{}{}{}µs", sign, all / 1000, fraction(all % 1000, 3));
  if (all < 1'000'000'000)
    return fmt::format("{}{}{}ms", sign, all / 1'000'000, fraction(all % 1'000'000, 6));
  const std::uint64_t seconds = all / 1'000'000'000;
  std::string text = sign;
  if (seconds >= 3600) text += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) text += fmt::format("{}m", seconds / 60 % 60);
  return text + fmt::format("{}{}s", seconds % 60, fraction(all % 1'000'000'000, 9));
}

}  // namespace cgo
