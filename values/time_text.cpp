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

}  // namespace

std::string time_text(std::int64_t unix_seconds, std::uint32_t nanoseconds) {
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
  const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  // The sign comes before the four digits.
  return fmt::format("{}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", year < 0 ? "-" : "",
                     year < 0 ? -year : year, month, day, second / 3600, second / 60 % 60,
                     second % 60, fraction(nanoseconds, 9));
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
