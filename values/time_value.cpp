#include "values/time_value.h"

#include <fmt/format.h>

#include "values/structure_fields.h"
#include "values/time_text.h"

namespace cgo {
namespace {

constexpr std::uint32_t kSecond = 1'000'000'000;

/// The zone of the place at the moment, or why it is UTC instead.
/// Source: src/time/zoneinfo.go: no Location is UTC; &localLoc has a name when it was loaded, which
/// the first use of it does.
TimeZone zone_of(const ValueContext& context, const Datum& time, std::int64_t moment,
                 TimeText& out) {
  const TimeZone utc{"UTC", 0};
  const auto because = [&](const std::string& why, ErrorCode code) {
    out.notes.push_back("shown in UTC: " + why);
    out.unread = code == ErrorCode::unreadable_memory;
    return utc;
  };
  auto pointer = own_field_of(time, "loc");
  auto place = pointer ? load_word(context.memory(), *pointer) : std::move(pointer).error();
  if (!place) return because("its zone: " + place.error().message, place.error().code);
  if (!*place) return utc;
  auto location = pointee_of(context.memory(), *pointer);
  auto name = location ? own_field_of(*location, "name") : std::move(location).error();
  auto length = name ? load_word(context.memory(), *name, 8) : std::move(name).error();
  if (!length) return because("its zone: " + length.error().message, length.error().code);
  if (length->value == 0 && context.in_image(*place)) {
    const auto local = context.variable_named("time.localLoc");
    if (!local || local->address == *place)
      return because("the program has not loaded its local zone", ErrorCode::not_found);
  }
  auto zone = zone_in(context, *location, moment);
  if (!zone) return because(zone.error().message, zone.error().code);
  return *std::move(zone);
}

/// Why what the structure has for its zone is none, as in memory that no time was written to.
std::optional<std::string> no_zone(const ValueContext& context, const Datum& time) {
  auto pointer = own_field_of(time, "loc");
  auto place = pointer ? load_word(context.memory(), *pointer) : std::move(pointer).error();
  if (!place || !*place) return std::nullopt;
  if (place->value % 8 != 0) return "no zone is at " + hex(*place);
  // What only a core lacks is somewhere.
  const AddressDescriber* describer = context.describer();
  if (describer == nullptr || read_pointer(context.memory(), *place)) return std::nullopt;
  if (describer->describe(*place).kind != AddressDescription::Kind::nothing) return std::nullopt;
  return "nothing is at " + hex(*place) + ", where its zone would be";
}

}  // namespace

/// Source: src/time/time.go: the top bit of wall says that it has seconds since 1885 and that ext
/// is a monotonic reading since the program began; otherwise ext has the seconds since year 1.
TimeText text_of_time(const ValueContext& context, const Datum& time) {
  const StructureFields fields(context, time);
  const auto wall = fields.number({{"wall"}}), ext = fields.number({{"ext"}});
  TimeText out;
  if (!wall || !ext) return out;
  const auto bits = static_cast<std::uint64_t>(*wall);
  constexpr std::int64_t kYear1To1970 = 62135596800, kYear1To1885 = 59453308800;
  const bool monotonic = bits >> 63 != 0;
  const auto nanoseconds = static_cast<std::uint32_t>(bits & 0x3fffffff);
  const std::int64_t seconds =
      monotonic ? kYear1To1885 + static_cast<std::int64_t>(bits << 1 >> 31) : *ext;
  if (nanoseconds >= kSecond)
    out.notes.push_back(fmt::format("damaged: {} nanoseconds in one second", nanoseconds));
  constexpr std::int64_t kMost = std::int64_t{1} << 58;
  if (nanoseconds >= kSecond) return out;
  if (seconds < -kMost || seconds > kMost) {
    out.notes.emplace_back("further from now than dates are computed");
    return out;
  }
  if (auto why = no_zone(context, time)) {
    out.notes.push_back("damaged, or not set: " + *why);
    return out;
  }
  const std::int64_t moment = seconds - kYear1To1970;
  out.text = time_text(moment, nanoseconds, zone_of(context, time, moment, out));
  if (monotonic) out.text += monotonic_text(*ext);
  if (bits == 0 && *ext == 0) out.text += " (zero)";
  return out;
}

}  // namespace cgo
