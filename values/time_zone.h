#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "values/value_context.h"

namespace cgo {

/// What is in force in a place at one moment: "CET", 3600.
struct TimeZone {
  std::string name;         ///< May be empty, as of time.FixedZone("", …).
  std::int64_t offset = 0;  ///< Seconds east of UTC.
};

/// What a rule such as "CET-1CEST,M3.5.0,M10.5.0/3" says of a moment; nothing for no rule.
/// Source: src/time/zoneinfo.go, tzset; POSIX, base definitions, 8.3 "TZ".
std::optional<TimeZone> zone_by_rule(std::string_view rule, std::int64_t unix_seconds);

/// What a time.Location says of a moment, by the data that it has in memory.
/// Source: src/time/zoneinfo.go, Location.lookup; the same in 1.19 to 1.27.
Result<TimeZone> zone_in(const ValueContext& context, const Datum& location,
                         std::int64_t unix_seconds);

}  // namespace cgo
