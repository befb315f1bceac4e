#include <array>

#include "values/time_text.h"
#include "values/time_zone.h"

namespace cgo {
namespace {

constexpr std::int64_t kDay = 86400, kHour = 3600;

/// The day and second of a year at which a rule begins to hold.
struct Rule {
  enum class Kind : std::uint8_t { julian, day_of_year, month_week_day } kind = Kind::julian;
  std::int64_t day = 0, week = 0, month = 0, time = 2 * kHour;
};

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Days of a common year before the month, 1 to 13.
std::int64_t days_before(std::int64_t month) {
  constexpr std::array kBefore = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
  return kBefore.at(static_cast<std::size_t>(month - 1));
}

/// Takes the parts of a rule from its front.
class RuleText {
 public:
  explicit RuleText(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool skip(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool begins_rules() const { return text_.empty() || text_.front() == ','; }

  std::optional<std::string> name() {
    if (skip('<')) {
      const std::size_t end = text_.find('>');
      if (end == text_.npos) return std::nullopt;
      return take(end, 1);
    }
    const std::size_t end = std::min(text_.find_first_of("0123456789,-+"), text_.size());
    if (end < 3) return std::nullopt;
    return take(end, 0);
  }

  std::optional<std::int64_t> number(std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
      value = value * 10 + (text_[digits] - '0');
      if (value > most) return std::nullopt;
    }
    if (digits == 0 || value < least) return std::nullopt;
    text_.remove_prefix(digits);
    return value;
  }

  /// [+-]hours[:minutes[:seconds]]
  std::optional<std::int64_t> offset() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    const auto hours = number(0, 24 * 7);
    if (!hours) return std::nullopt;
    std::int64_t out = *hours * kHour;
    for (const std::int64_t unit : {60, 1}) {
      if (!skip(':')) break;
      const auto part = number(0, 59);
      if (!part) return std::nullopt;
      out += *part * unit;
    }
    return negative ? -out : out;
  }

  std::optional<Rule> rule() {
    Rule out;
    std::optional<std::int64_t> month{0}, week{0}, day;
    if (skip('J')) {
      day = number(1, 365);
    } else if (skip('M')) {
      out.kind = Rule::Kind::month_week_day;
      month = number(1, 12);
      if (!month || !skip('.')) return std::nullopt;
      week = number(1, 5);
      if (!week || !skip('.')) return std::nullopt;
      day = number(0, 6);
    } else {
      out.kind = Rule::Kind::day_of_year;
      day = number(0, 365);
    }
    if (!day) return std::nullopt;
    out.month = *month;
    out.week = *week;
    out.day = *day;
    if (!skip('/')) return out;
    const auto time = offset();
    if (!time) return std::nullopt;
    out.time = *time;
    return out;
  }

 private:
  std::string take(std::size_t bytes, std::size_t behind) {
    std::string out(text_.substr(0, bytes));
    text_.remove_prefix(bytes + behind);
    return out;
  }
  std::string_view text_;
};

/// Day of the year, from 0, on which the rule's weekday is.
std::int64_t day_by_week(const Rule& rule, std::int64_t year) {
  const bool leap = is_leap(year);
  const std::int64_t first =
      days_since_1970(year) + days_before(rule.month) + (leap && rule.month > 2 ? 1 : 0);
  // 1970 began on a Thursday.
  const std::int64_t weekday = ((first + 4) % 7 + 7) % 7;
  std::int64_t day = (rule.day - weekday + 7) % 7;
  const std::int64_t days =
      days_before(rule.month + 1) - days_before(rule.month) + (leap && rule.month == 2 ? 1 : 0);
  for (std::int64_t week = 1; week < rule.week && day + 7 < days; ++week) day += 7;
  return first - days_since_1970(year) + day;
}

/// Seconds from the start of the year, in UTC; `offset` is that of the clocks until then.
std::int64_t second_of_year(const Rule& rule, std::int64_t year, std::int64_t offset) {
  std::int64_t day = rule.day;
  switch (rule.kind) {
    case Rule::Kind::julian:  // Without the 29th of February.
      day = rule.day - 1 + (is_leap(year) && rule.day >= 60 ? 1 : 0);
      break;
    case Rule::Kind::month_week_day:
      day = day_by_week(rule, year);
      break;
    case Rule::Kind::day_of_year:
      break;
  }
  return day * kDay + rule.time - offset;
}

}  // namespace

std::optional<TimeZone> zone_by_rule(std::string_view rule, std::int64_t unix_seconds) {
  RuleText text(rule);
  TimeZone standard, summer;
  auto name = text.name();
  auto offset = name ? text.offset() : std::nullopt;
  if (!offset) return std::nullopt;
  // Rules say what to add to local time.
  standard = {*std::move(name), -*offset};
  if (text.begins_rules()) return standard;
  name = text.name();
  if (!name) return std::nullopt;
  summer = {*std::move(name), standard.offset + kHour};
  if (!text.begins_rules()) {
    offset = text.offset();
    if (!offset) return std::nullopt;
    summer.offset = -*offset;
  }
  if (text.at_end()) text = RuleText(",M3.2.0,M11.1.0");
  if (!text.skip(',') && !text.skip(';')) return std::nullopt;
  const auto start = text.rule();
  if (!start || !text.skip(',')) return std::nullopt;
  const auto end = text.rule();
  if (!end || !text.at_end()) return std::nullopt;

  const std::int64_t year = civil_time(unix_seconds).year;
  const std::int64_t second = unix_seconds - days_since_1970(year) * kDay;
  const std::int64_t begins = second_of_year(*start, year, standard.offset),
                     ends = second_of_year(*end, year, summer.offset);
  // In the south summer goes over the end of the year.
  const bool is_summer =
      begins <= ends ? begins <= second && second < ends : second < ends || begins <= second;
  return is_summer ? summer : standard;
}

}  // namespace cgo
