#include "goruntime/go_map.h"

#include <algorithm>
#include <set>
#include <vector>

namespace cgo {
namespace {

/// Keys and elements above this size lie elsewhere, the slot has a pointer to them.
/// Source: src/internal/abi/map*.go, MapMaxKeyBytes; src/runtime/map.go, maxKeySize (1.19, 1.20).
constexpr std::uint64_t kLargestInline = 128;
constexpr std::uint64_t kLargestUnit = 8 + 16 * kLargestInline + 64;
constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 36;
/// A walk ends after so many units that cannot be used: a damaged header must not cost hours.
constexpr unsigned kMostFailures = 16;
constexpr std::uint64_t kChunkBytes = 64 * 1024;

Error malformed(std::string what, std::optional<Address> at = std::nullopt) {
  return Error{ErrorCode::malformed_data, "map: " + std::move(what), at};
}

struct Placed {
  std::uint64_t offset = 0;
  const Type* type = nullptr;
};

/// The member whose name begins like one of `names`.
std::optional<Placed> placed(const Type& type, std::span<const TypeMember> members,
                             std::initializer_list<std::string_view> names) {
  for (std::size_t i = 0; i < members.size(); ++i)
    for (const std::string_view name : names)
      if (members[i].name == name) {
        auto member_type = type.member_type(i);
        return Placed{members[i].offset, member_type ? *member_type : nullptr};
      }
  return std::nullopt;
}

/// The size of what an array member has in each place.
Result<std::uint64_t> stride_of(const Placed& array, const char* what) {
  auto type = array.type ? stripped(array.type) : malformed("a member without a type");
  if (!type) return std::move(type).error();
  auto element = (*type)->kind() == TypeKind::array ? (*type)->target()
                                                    : malformed(std::string(what) + " is no array");
  if (!element) return std::move(element).error();
  return (*element)->bytes();
}

Result<void> add_slots(MapShape& shape, const Placed& slots) {
  auto array = slots.type ? stripped(slots.type) : malformed("slots without a type");
  if (!array) return std::move(array).error();
  auto slot = (*array)->target();
  if (!slot) return std::move(slot).error().in("slots");
  auto structure = stripped(*slot);
  if (!structure) return std::move(structure).error();
  auto members = (*structure)->members();
  if (!members) return std::move(members).error().in("slot");
  const auto key = placed(**structure, *members, {"key"});
  const auto element = placed(**structure, *members, {"elem"});
  if (!key || !element || !key->type || !element->type)
    return malformed("a slot has no key and elem");
  if (key->type->bytes() != shape.stored_key_bytes() ||
      element->type->bytes() != shape.stored_element_bytes())
    return malformed("a slot is not made for keys and elements of these types");
  shape.keys = slots.offset + key->offset;
  shape.elements = slots.offset + element->offset;
  shape.key_stride = shape.element_stride = (*structure)->bytes();
  return {};
}

Result<void> add_arrays(MapShape& shape, const Placed& keys, const Placed& elements) {
  auto key_stride = stride_of(keys, "keys");
  if (!key_stride) return std::move(key_stride).error();
  auto element_stride = stride_of(elements, "elems");
  if (!element_stride) return std::move(element_stride).error();
  shape.keys = keys.offset;
  shape.elements = elements.offset;
  shape.key_stride = *key_stride;
  shape.element_stride = *element_stride;
  return {};
}

/// Everything a slot of `shape` names lies inside of the unit.
bool fits(const MapShape& shape) {
  const auto inside = [&](std::uint64_t offset, std::uint64_t stride, std::uint64_t bytes) {
    return stride <= kLargestUnit && bytes <= stride &&
           offset + (MapShape::kSlots - 1) * stride + bytes <= shape.unit_bytes;
  };
  return shape.unit_bytes <= kLargestUnit && inside(shape.control, 1, 1) &&
         inside(shape.keys, shape.key_stride, shape.stored_key_bytes()) &&
         inside(shape.elements, shape.element_stride, shape.stored_element_bytes()) &&
         (shape.kind == MapShape::Kind::groups || shape.overflow + 8 <= shape.unit_bytes);
}

class MapWalker {
 public:
  MapWalker(const MemoryReader& memory, const MapShape& shape, Address map, const MapVisitor& visit)
      : memory_(memory), shape_(shape), map_(map), visit_(visit) {}

  MapWalk walk() {
    if (!map_) return out_;
    auto header = read_bytes(memory_, map_, 48);
    if (!header) {
      fail(std::move(header).error().in("map header"));
      return out_;
    }
    header_ = *std::move(header);
    out_.count = word(0);
    if (shape_.kind == MapShape::Kind::groups)
      walk_swiss();
    else
      walk_buckets();
    if (!out_.stopped && !out_.error && out_.visited != out_.count)
      out_.error = malformed("it says that it has " + std::to_string(out_.count) + " entries, " +
                                 std::to_string(out_.visited) + " were found",
                             map_);
    return out_;
  }

 private:
  std::uint64_t word(std::uint64_t offset) const { return *load<std::uint64_t>(header_, offset); }
  void fail(Error error) {
    ++failures_;
    if (!out_.error) out_.error = std::move(error);
  }
  bool ended() const { return out_.stopped || failures_ >= kMostFailures; }

  // --- the Swiss table, since 1.24 -------------------------------------------------------------
  // Source: src/internal/runtime/maps/map.go (Map: used 0, dirPtr 16, dirLen 24), table.go (table:
  // used 0, capacity 2, groups.data 16, groups.lengthMask 24), group.go.

  void walk_swiss() {
    const Address directory{word(16)};
    const std::uint64_t tables = word(24);
    if (tables == 0) {
      if (directory) walk_units(directory, 1);
      return;
    }
    if (tables > (1u << 28) || !std::has_single_bit(tables))
      return fail(malformed("its directory has " + std::to_string(tables) + " entries", map_));
    std::set<Address> seen;
    for (std::uint64_t i = 0; i < tables && !ended(); ++i) {
      auto table = read_pointer(memory_, wrapping_add(directory, i * 8));
      if (!table) {
        fail(std::move(table).error().in("map directory"));
        continue;
      }
      // A table that was not split as often as the directory doubled is there several times.
      if (seen.insert(*table).second) walk_table(*table);
    }
  }

  void walk_table(Address table) {
    auto bytes = read_bytes(memory_, table, 32);
    if (!bytes) return fail(std::move(bytes).error().in("map table"));
    const std::uint64_t capacity = *load<std::uint16_t>(*bytes, 2);
    const Address groups{*load<std::uint64_t>(*bytes, 16)};
    const std::uint64_t mask = *load<std::uint64_t>(*bytes, 24);
    if (mask >= (1u << 16) || (mask + 1) * MapShape::kSlots != capacity ||
        !std::has_single_bit(capacity))
      return fail(malformed("a table has " + std::to_string(capacity) +
                                " slots in groups up to number " + std::to_string(mask),
                            table));
    walk_units(groups, mask + 1);
  }

  // --- the hash table up to 1.23 ---------------------------------------------------------------
  // Source: src/runtime/map.go (hmap: count 0, flags 8, B 9, buckets 16, oldbuckets 24).

  void walk_buckets() {
    constexpr std::uint8_t kSameSizeGrow = 8;
    const auto flags = *load<std::uint8_t>(header_, 8), log2 = *load<std::uint8_t>(header_, 9);
    if (log2 > 36) return fail(malformed("2^" + std::to_string(log2) + " buckets", map_));
    const std::uint64_t buckets = std::uint64_t{1} << log2;
    const Address current{word(16)}, old{word(24)};
    out_.growing = static_cast<bool>(old);
    if (current) walk_units(current, buckets);
    // What was not moved yet while the map grows; slots that were say so in their tophash.
    if (old) walk_units(old, (flags & kSameSizeGrow) != 0 ? buckets : buckets / 2);
  }

  void walk_chain(Address bucket) {
    chain_.clear();
    while (bucket && !ended()) {
      if (!chain_.insert(bucket).second)
        return fail(malformed("its overflow buckets go in a circle", bucket));
      auto bytes = read_bytes(memory_, bucket, shape_.unit_bytes);
      if (!bytes) return fail(std::move(bytes).error().in("overflow bucket"));
      visit_unit(*bytes, bucket);
      bucket = overflow_of(*bytes);
    }
  }
  Address overflow_of(ByteView unit) const {
    return {load<std::uint64_t>(unit, shape_.overflow).value_or(0)};
  }

  // --- both ------------------------------------------------------------------------------------

  void walk_units(Address first, std::uint64_t count) {
    const std::uint64_t unit = shape_.unit_bytes;
    if (count > kMostUnits || !checked_add(first, count * unit))
      return fail(malformed("absurdly many slots", first));
    const std::uint64_t at_once = std::max<std::uint64_t>(1, kChunkBytes / unit);
    for (std::uint64_t i = 0; i < count && !ended(); i += at_once) {
      const std::uint64_t here = std::min(at_once, count - i);
      const Address from = wrapping_add(first, i * unit);
      auto bytes = read_bytes(memory_, from, here * unit);
      if (bytes)
        visit_units(*bytes, from, here);
      else
        visit_singly(from, here);
    }
  }
  void visit_units(ByteView bytes, Address from, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && !ended(); ++i) {
      const ByteView unit = bytes.subspan(i * shape_.unit_bytes, shape_.unit_bytes);
      visit_unit(unit, wrapping_add(from, i * shape_.unit_bytes));
      if (shape_.kind == MapShape::Kind::buckets && overflow_of(unit))
        walk_chain(overflow_of(unit));
    }
  }
  /// A part of them cannot be read: the rest can.
  void visit_singly(Address from, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && !ended(); ++i) {
      const Address at = wrapping_add(from, i * shape_.unit_bytes);
      auto bytes = read_bytes(memory_, at, shape_.unit_bytes);
      if (bytes)
        visit_units(*bytes, at, 1);
      else
        fail(std::move(bytes).error().in(shape_.kind == MapShape::Kind::groups ? "map group"
                                                                               : "map bucket"));
    }
  }

  bool filled(std::uint8_t control) const {
    constexpr std::uint8_t kMinTopHash = 5;  // Below: empty, or moved to a new bucket.
    return shape_.kind == MapShape::Kind::groups ? control < 0x80 : control >= kMinTopHash;
  }

  void visit_unit(ByteView unit, Address at) {
    for (unsigned slot = 0; slot < MapShape::kSlots && !ended(); ++slot) {
      if (!filled(*load<std::uint8_t>(unit, shape_.control + slot))) continue;
      MapEntry entry;
      place(unit, at, shape_.keys + slot * shape_.key_stride, shape_.key_bytes, shape_.indirect_key,
            entry.key, entry.key_bytes);
      place(unit, at, shape_.elements + slot * shape_.element_stride, shape_.element_bytes,
            shape_.indirect_element, entry.element, entry.element_bytes);
      ++out_.visited;
      if (!visit_(entry)) out_.stopped = true;
    }
  }
  void place(ByteView unit, Address at, std::uint64_t offset, std::uint64_t bytes, bool indirect,
             Address& where, ByteView& view) const {
    where = indirect ? Address{load<std::uint64_t>(unit, offset).value_or(0)}
                     : wrapping_add(at, offset);
    if (!indirect) view = slice(unit, offset, bytes).value_or(ByteView{});
  }

  const MemoryReader& memory_;
  const MapShape& shape_;
  Address map_;
  const MapVisitor& visit_;
  std::vector<std::byte> header_;
  std::set<Address> chain_;
  unsigned failures_ = 0;
  MapWalk out_;
};

}  // namespace

Result<MapShape> map_shape(const Type& unit, const Type& key, const Type& element) {
  auto structure = stripped(&unit);
  if (!structure) return std::move(structure).error();
  auto members = (*structure)->members();
  if (!members) return std::move(members).error().in("map");
  const Type& type = **structure;
  MapShape shape{.unit_bytes = type.bytes(),
                 .key_bytes = key.bytes(),
                 .element_bytes = element.bytes(),
                 .indirect_key = key.bytes() > kLargestInline,
                 .indirect_element = element.bytes() > kLargestInline};
  const auto keys = placed(type, *members, {"keys"});
  const auto elements = placed(type, *members, {"elems", "values"});
  const auto slots = placed(type, *members, {"slots"});
  if (const auto control = placed(type, *members, {"ctrl", "ctrls"})) {
    shape.control = control->offset;
  } else if (const auto top = placed(type, *members, {"topbits", "tophash"})) {
    shape.kind = MapShape::Kind::buckets;
    shape.control = top->offset;
    const auto overflow = placed(type, *members, {"overflow"});
    if (!overflow) return malformed("its buckets have no overflow");
    shape.overflow = overflow->offset;
  } else {
    return Error{ErrorCode::unsupported,
                 "map: neither the buckets nor the groups of a release known"};
  }
  auto done = slots              ? add_slots(shape, *slots)
              : keys && elements ? add_arrays(shape, *keys, *elements)
                                 : Result<void>(malformed("its units have no keys and elements"));
  if (!done) return std::move(done).error();
  if (!fits(shape))
    return malformed("its slots do not fit into their " + std::to_string(shape.unit_bytes) +
                     " bytes");
  return shape;
}

MapWalk walk_map(const MemoryReader& memory, const MapShape& shape, Address map,
                 const MapVisitor& visit) {
  return MapWalker(memory, shape, map, visit).walk();
}

Result<std::uint64_t> map_count(const MemoryReader& memory, Address map) {
  if (!map) return 0;
  auto count = read_unsigned<std::uint64_t>(memory, map);
  if (!count) return std::move(count).error().in("map header");
  return count;
}

}  // namespace cgo
