#include "values/time_zone.h"

#include <algorithm>

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kMostZones = 256, kMostChanges = 4096;
constexpr std::uint64_t kLongestName = 64, kLongestRule = 256;
constexpr std::int64_t kMostOffset = 1 << 30;

Error malformed(std::string what) { return {ErrorCode::malformed_data, "zone: " + what, {}}; }

/// The elements of a slice that is a field, read at once.
struct Elements {
  SliceHeader slice;
  std::vector<std::byte> bytes;

  Datum at(std::uint64_t index) const {
    const std::uint64_t size = slice.element->bytes();
    Datum out = datum_at(slice.element, wrapping_add(slice.data, index * size));
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(index * size);
    out.bytes = std::vector<std::byte>(from, from + static_cast<std::ptrdiff_t>(size));
    return out;
  }
};

class Location {
 public:
  Location(const ValueContext& context, const Datum& datum) : context_(context), datum_(datum) {}

  Result<TimeZone> zone_at(std::int64_t moment) const {
    auto zones = elements("zone", kMostZones);
    if (!zones) return std::move(zones).error();
    if (zones->slice.length == 0) return TimeZone{"UTC", 0};
    auto changes = elements("tx", kMostChanges);
    if (!changes) return std::move(changes).error();
    const std::uint64_t count = changes->slice.length;
    std::uint64_t before = 0;  // Changes up to the moment; they are in order.
    for (std::uint64_t from = 0, to = count; from < to;) {
      const std::uint64_t middle = from + (to - from) / 2;
      auto when = number(changes->at(middle), "when");
      if (!when) return std::move(when).error();
      if (*when <= moment)
        before = from = middle + 1;
      else
        to = middle;
    }
    if (before == 0) return first_zone(*zones, *changes);
    auto index = number(changes->at(before - 1), "index");
    if (!index) return std::move(index).error();
    if (before == count)
      if (auto rule = text_of(datum_, "extend", kLongestRule); rule && !rule->empty())
        if (auto zone = zone_by_rule(*rule, moment)) return *std::move(zone);
    return zone(*zones, static_cast<std::uint64_t>(*index));
  }

 private:
  Result<Elements> elements(std::string_view name, std::uint64_t most) const {
    auto field = own_field_of(datum_, name);
    auto slice = field ? load_slice(context_.memory(), *field) : std::move(field).error();
    if (!slice) return std::move(slice).error();
    if (slice->length > most) return malformed(std::to_string(slice->length) + " entries");
    auto bytes =
        read_bytes(context_.memory(), slice->data, slice->length * slice->element->bytes());
    if (slice->length != 0 && !bytes) return std::move(bytes).error();
    return Elements{*slice, slice->length == 0 ? std::vector<std::byte>{} : *std::move(bytes)};
  }

  Result<std::int64_t> number(const Datum& structure, std::string_view name) const {
    auto field = own_field_of(structure, name);
    if (!field) return std::move(field).error();
    if (plain(field->type)->is_signed()) return load_signed(context_.memory(), *field);
    auto value = load_unsigned(context_.memory(), *field);
    if (!value) return std::move(value).error();
    return static_cast<std::int64_t>(*value);
  }

  Result<std::string> text_of(const Datum& structure, std::string_view name,
                              std::uint64_t limit) const {
    auto field = own_field_of(structure, name);
    auto text = field ? load_go_string(context_.memory(), *field, limit) : std::move(field).error();
    if (!text) return std::move(text).error();
    if (text->length > limit) return malformed("a text of " + std::to_string(text->length));
    return std::move(text->text);
  }

  Result<TimeZone> zone(const Elements& zones, std::uint64_t index) const {
    if (index >= zones.slice.length) return malformed("it has no number " + std::to_string(index));
    auto name = text_of(zones.at(index), "name", kLongestName);
    if (!name) return std::move(name).error();
    auto offset = number(zones.at(index), "offset");
    if (!offset) return std::move(offset).error();
    if (*offset < -kMostOffset || *offset > kMostOffset) return malformed("its offset");
    return TimeZone{*std::move(name), *offset};
  }

  Result<bool> is_summer(const Elements& zones, std::uint64_t index) const {
    if (index >= zones.slice.length) return malformed("it has no number " + std::to_string(index));
    auto flag = number(zones.at(index), "isDST");
    if (!flag) return std::move(flag).error();
    return *flag != 0;
  }

  /// What was before the first change. Source: src/time/zoneinfo.go, lookupFirstZone.
  Result<TimeZone> first_zone(const Elements& zones, const Elements& changes) const {
    bool used = false;
    std::uint64_t begin = 0;
    for (std::uint64_t i = 0; i < changes.slice.length; ++i) {
      auto index = number(changes.at(i), "index");
      if (!index) return std::move(index).error();
      if (i == 0) begin = static_cast<std::uint64_t>(*index);
      used = used || *index == 0;
    }
    if (!used) return zone(zones, 0);
    auto summer = is_summer(zones, begin);
    if (!summer) return std::move(summer).error();
    // The last of standard time before that, else the first of all.
    for (std::uint64_t i = *summer ? begin : 0; i-- > 0;) {
      auto other = is_summer(zones, i);
      if (other && !*other) return zone(zones, i);
    }
    for (std::uint64_t i = 0; i < zones.slice.length; ++i) {
      auto other = is_summer(zones, i);
      if (other && !*other) return zone(zones, i);
    }
    return zone(zones, 0);
  }

  const ValueContext& context_;
  const Datum& datum_;
};

}  // namespace

Result<TimeZone> zone_in(const ValueContext& context, const Datum& location,
                         std::int64_t unix_seconds) {
  return Location(context, location).zone_at(unix_seconds);
}

}  // namespace cgo
