#include "values/time_zone.h"

#include <catch2/catch_test_macros.hpp>

#include "support/test_context.h"
#include "values/time_text.h"
#include "values/value.h"

namespace cgo {
namespace {

std::string by_rule(std::string_view rule, std::int64_t moment) {
  const auto zone = zone_by_rule(rule, moment);
  return zone ? zone->name + " " + std::to_string(zone->offset) : "none";
}

/// A time.Location as Go has it, and a time.Time in it.
struct Place {
  TypeBuilder build{{27, 4}};
  Address int64 = build.basic(GoKind::int64, 8, "int64");
  Address uint64 = build.basic(GoKind::uint64, 8, "uint64");
  Address uint8 = build.basic(GoKind::uint8, 1, "uint8");
  Address flag = build.basic(GoKind::boolean, 1, "bool");
  Address text = build.basic(GoKind::string, 16, "string");
  Address zone = build.structure({{"name", text, 0}, {"offset", int64, 16}, {"isDST", flag, 24}},
                                 32, "time.zone", "time");
  Address change =
      build.structure({{"when", int64, 0}, {"index", uint8, 8}}, 16, "time.zoneTrans", "time");
  Address location_type = build.structure({{"name", text, 0},
                                           {"zone", build.slice(zone, "[]time.zone"), 16},
                                           {"tx", build.slice(change, "[]time.zoneTrans"), 40},
                                           {"extend", text, 64}},
                                          80, "time.Location", "time");
  Address time_type = build.structure({{"wall", uint64, 0},
                                       {"ext", int64, 8},
                                       {"loc", build.pointer(location_type, "*Location"), 16}},
                                      24, "time.Time", "time");
  Address location = build.data(80), zones = build.data(96), changes = build.data(48);

  Place() {
    write_text(location, "Somewhere");
    write_slice({location.value + 16}, zones, 3);
    write_slice({location.value + 40}, changes, 3);
    write_text({location.value + 64}, "STD-2");
    write_zone(0, "LMT", 3208, false);
    write_zone(1, "CET", 3600, false);
    write_zone(2, "CEST", 7200, true);
    // Summer from 1000 to 2000.
    write_change(0, 0, 1);
    write_change(1, 1000, 2);
    write_change(2, 2000, 1);
  }
  void word(Address at, std::uint64_t value) { build.memory().u64(at, value); }
  void write_text(Address at, std::string_view value) {
    const Address bytes = build.data(value.size());
    build.memory().bytes(bytes, std::as_bytes(std::span(value)));
    word(at, bytes.value);
    word({at.value + 8}, value.size());
  }
  void write_slice(Address at, Address data, std::uint64_t length) {
    word(at, data.value);
    word({at.value + 8}, length);
    word({at.value + 16}, length);
  }
  void write_zone(std::uint64_t i, std::string_view name, std::uint64_t offset, bool summer) {
    const Address at{zones.value + 32 * i};
    write_text(at, name);
    word({at.value + 16}, offset);
    word({at.value + 24}, summer ? 1 : 0);
  }
  void write_change(std::uint64_t i, std::uint64_t when, std::uint64_t index) {
    word({changes.value + 16 * i}, when);
    word({changes.value + 16 * i + 8}, index);
  }
  std::string zone_at(std::int64_t moment) {
    const TestContext context(build);
    auto found = zone_in(context, context.datum(location_type, location), moment);
    return found ? found->name + " " + std::to_string(found->offset) : found.error().message;
  }
  Value time_at(std::uint64_t moment, AddressRange image = {}) {
    const Address at = build.data(24);
    word(at, 0);
    word({at.value + 8}, 62135596800 + moment);
    word({at.value + 16}, location.value);
    TestContext context(build);
    context.image = image;
    return read_value(context, "t", context.datum(time_type, at));
  }
};

}  // namespace

// The expected zones are what localtime of the C library says with TZ set to the rule.
TEST_CASE("rules of POSIX tell when summer time is") {
  constexpr auto kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  CHECK(by_rule(kBerlin, 1774745999) == "CET 3600");
  CHECK(by_rule(kBerlin, 1774746000) == "CEST 7200");
  CHECK(by_rule(kBerlin, 1792889999) == "CEST 7200");
  CHECK(by_rule(kBerlin, 1792890000) == "CET 3600");
  CHECK(by_rule("AEST-10AEDT,M10.1.0,M4.1.0/3", 4102444800) == "AEDT 39600");
  CHECK(by_rule("AEST-10AEDT,M10.1.0,M4.1.0/3", 4118000000) == "AEST 36000");
  CHECK(by_rule("EST5EDT", 1773000000) == "EDT -14400");
  CHECK(by_rule("<-03>3", 0) == "-03 -10800");
  CHECK(by_rule("IST-2IDT,M3.4.4/26,M10.5.0", 1774569599) == "IST 7200");
  CHECK(by_rule("IST-2IDT,M3.4.4/26,M10.5.0", 1774569600) == "IDT 10800");
  CHECK(by_rule("XXX-1YYY,J60/0,J300", 1709247599) == "XXX 3600");
  CHECK(by_rule("XXX-1YYY,J60/0,J300", 1709247600) == "YYY 7200");
  CHECK(by_rule("XXX-1YYY,59/0,300", 1709161199) == "XXX 3600");
  CHECK(by_rule("XXX-1YYY,59/0,300", 1709161200) == "YYY 7200");
  CHECK(by_rule("NPT-5:45", 5) == "NPT 20700");
}

TEST_CASE("what is no rule has no zone") {
  for (const std::string_view text :
       {"", "CE", "CET", "CET-", "CET-169", "CET-1:60", "CET-1CEST,", "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J3", "CET-1CEST,J366,J3", "CET-1CEST,366,3", "CET-1CEST,M3.5.0,M10.5.0,",
        "<CET-1", "CET-1CEST,M3.5.0/x,M10.5.0", "CET-99999999999999999999"})
    CHECK(by_rule(text, 0) == "none");
}

TEST_CASE("a location tells the zone of a moment by its changes, then by its rule") {
  Place place;
  CHECK(place.zone_at(0) == "CET 3600");
  CHECK(place.zone_at(999) == "CET 3600");
  CHECK(place.zone_at(1000) == "CEST 7200");
  CHECK(place.zone_at(1999) == "CEST 7200");
  CHECK(place.zone_at(2000) == "STD 7200");
  CHECK(place.zone_at(-1) == "LMT 3208");
  place.word({place.location.value + 72}, 0);  // No rule.
  CHECK(place.zone_at(2000) == "CET 3600");
  place.write_change(2, 2000, 9);
  CHECK(place.zone_at(2000) == "zone: it has no number 9");
  place.write_slice({place.location.value + 16}, place.zones, 0);
  CHECK(place.zone_at(5) == "UTC 0");
  place.write_slice({place.location.value + 16}, place.zones, 1u << 30);
  CHECK(place.zone_at(5) == "zone: 1073741824 entries");
}

TEST_CASE("a time says why it is in UTC and not in its zone") {
  Place place;
  CHECK(place.time_at(1500).summary == "1970-01-01 02:25:00 +0200 CEST");
  CHECK(place.time_at(1500).notes.empty());
  place.build.memory() = place.build.memory().drop(place.changes);
  const Value lost = place.time_at(1500);
  CHECK(lost.summary == "1970-01-01 00:25:00 +0000 UTC");
  REQUIRE(lost.notes.size() == 1);
  CHECK(lost.notes[0].starts_with("shown in UTC: cannot read"));
  CHECK(lost.unread == 1);
  // The local zone of a program that has not asked for it.
  place.write_text(place.location, "");
  const AddressRange image{place.location, {place.location.value + 80}};
  CHECK(place.time_at(1500, image).notes ==
        std::vector<std::string>{"shown in UTC: the program has not loaded its local zone"});
}

TEST_CASE("offsets and the monotonic clock are written as package time writes them") {
  CHECK(time_text(0, 0, {"", -5400}) == "1969-12-31 22:30:00 -0130 -0130");
  CHECK(time_text(0, 5, {"odd", 19830}) == "1970-01-01 05:30:30.000000005 +0530 odd");
  CHECK(monotonic_text(-1) == " m=-0.000000001");
  CHECK(monotonic_text(90'000'000'123) == " m=+90.000000123");
  for (const std::int64_t year : {-400, -1, 0, 1, 1900, 1970, 2000, 2024, 9999}) {
    const std::int64_t day = days_since_1970(year);
    CHECK(civil_time(day * 86400).year == year);
    CHECK(civil_time(day * 86400 - 1).year == year - 1);
  }
}

}  // namespace cgo
