#include "goruntime/go_map.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

#include "support/type_builder.h"

namespace cgo {
namespace {

using Entries = std::map<std::uint64_t, std::uint64_t>;

/// map[uint64]uint64 in either form, built slot by slot.
class IntMap {
 public:
  static constexpr std::uint64_t kSlot = 16;

  explicit IntMap(bool swiss) : swiss_(swiss), build({swiss ? 27 : 23, 0}) {
    word = build.basic(GoKind::uint64, 8, "uint64");
    unit = swiss ? build.group(word, 8, word, 8) : build.bucket(word, 8, word, 8);
    header = build.data(48);
  }

  std::uint64_t unit_bytes() const { return swiss_ ? 8 + 8 * kSlot : 8 + 8 * kSlot + 8; }
  Address units(std::uint64_t count) {
    const Address at = build.data(count * unit_bytes());
    if (swiss_)
      for (std::uint64_t i = 0; i < count; ++i)
        build.memory().u64({at.value + i * unit_bytes()}, 0x8080808080808080);
    return at;
  }
  void put(Address unit_at, unsigned slot, std::uint64_t key, std::uint64_t value) {
    build.memory().u8({unit_at.value + slot}, swiss_ ? 0x11 : 0x80);
    const std::uint64_t key_at = swiss_ ? 8 + slot * kSlot : 8 + slot * 8;
    const std::uint64_t value_at = swiss_ ? key_at + 8 : 72 + slot * 8;
    build.memory().u64({unit_at.value + key_at}, key).u64({unit_at.value + value_at}, value);
  }
  void field(std::uint64_t offset, std::uint64_t value) {
    build.memory().u64({header.value + offset}, value);
  }
  Address table(std::uint64_t groups, Address first) {
    const Address at = build.data(32);
    build.memory().u64(at, groups * 8 << 16).u64({at.value + 16}, first.value);
    build.memory().u64({at.value + 24}, groups - 1);
    return at;
  }

  Result<MapShape> shape() const {
    const RuntimeTypes types(build.memory(), build.version(), TypeBuilder::modules());
    const auto unit_type = types.at(unit), word_type = types.at(word);
    REQUIRE((unit_type && word_type));
    return map_shape(**unit_type, **word_type, **word_type);
  }
  MapWalk walk(Entries& into, const MemoryReader* memory = nullptr) const {
    const auto how = shape();
    REQUIRE(how);
    return walk_map(memory ? *memory : build.memory(), *how, header, [&](const MapEntry& entry) {
      into[load<std::uint64_t>(entry.key_bytes, 0).value_or(~0ull)] =
          load<std::uint64_t>(entry.element_bytes, 0).value_or(~0ull);
      return true;
    });
  }

 private:
  bool swiss_;

 public:
  TypeBuilder build;
  Address word, unit, header;
};

/// Four directory entries over two tables, with a deleted slot.
IntMap two_tables() {
  IntMap map(true);
  const Address first = map.units(2), second = map.units(1);
  map.put(first, 0, 1, 10);
  map.put({first.value + map.unit_bytes()}, 7, 2, 20);
  map.put(second, 3, 3, 30);
  map.build.memory().u8({second.value + 4}, 0xfe);
  const Address tables[] = {map.table(2, first), map.table(1, second)};
  const Address directory = map.build.data(32);
  for (unsigned i = 0; i < 4; ++i)
    map.build.memory().pointer({directory.value + i * 8}, tables[i / 2]);
  map.field(0, 3);
  map.field(16, directory.value);
  map.field(24, 4);
  return map;
}

/// Two buckets, one with an overflow bucket, and an old one that is only half moved.
IntMap growing() {
  IntMap map(false);
  const Address now = map.units(2), overflow = map.units(1), old = map.units(1);
  map.put(now, 0, 1, 10);
  map.put({now.value + map.unit_bytes()}, 7, 2, 20);
  map.build.memory().pointer({now.value + 2 * map.unit_bytes() - 8}, overflow);
  map.put(overflow, 4, 3, 30);
  map.put(old, 5, 4, 40);
  map.put(old, 6, 1, 10);
  map.build.memory().u8({old.value + 6}, 2);  // Moved already.
  map.field(0, 4);
  map.field(8, 1 << 8);
  map.field(16, now.value);
  map.field(24, old.value);
  return map;
}

}  // namespace

TEST_CASE("a map without entries and the nil map have none") {
  for (const bool swiss : {false, true}) {
    IntMap map(swiss);
    Entries found;
    CHECK_FALSE(map.walk(found).error);
    map.header = {};
    CHECK_FALSE(map.walk(found).error);
    CHECK(found.empty());
  }
}

TEST_CASE("a small Swiss map is one group") {
  IntMap map(true);
  const Address group = map.units(1);
  map.put(group, 0, 7, 70);
  map.put(group, 7, 8, 80);
  map.field(0, 2);
  map.field(16, group.value);
  Entries found;
  const MapWalk walk = map.walk(found);
  CHECK_FALSE(walk.error);
  CHECK(found == Entries{{7, 70}, {8, 80}});
}

TEST_CASE("a table that is in the directory several times counts once") {
  Entries found;
  const MapWalk walk = two_tables().walk(found);
  CHECK_FALSE(walk.error);
  CHECK(walk.visited == 3);
  CHECK(found == Entries{{1, 10}, {2, 20}, {3, 30}});
}

TEST_CASE("a map that grows has entries in old buckets, moved ones count once") {
  Entries found;
  const MapWalk walk = growing().walk(found);
  CHECK_FALSE(walk.error);
  CHECK(walk.growing);
  CHECK(walk.visited == 4);
  CHECK(found == Entries{{1, 10}, {2, 20}, {3, 30}, {4, 40}});
}

TEST_CASE("a map that grows to the same size has as many old buckets") {
  IntMap map = growing();
  map.field(8, 8);  // sameSizeGrow, 2^0 buckets
  Entries found;
  CHECK(map.walk(found).error);  // The second bucket is not its any more.
  CHECK(found == Entries{{1, 10}, {4, 40}});
}

TEST_CASE("a visitor ends the walk") {
  const IntMap map = two_tables();
  const auto shape = map.shape();
  REQUIRE(shape);
  const MapWalk walk =
      walk_map(map.build.memory(), *shape, map.header, [](const MapEntry&) { return false; });
  CHECK(walk.visited == 1);
  CHECK(walk.stopped);
  CHECK_FALSE(walk.error);
}

TEST_CASE("damaged maps give what is whole and the reason") {
  Entries found;
  SECTION("wrong count") {
    IntMap map = two_tables();
    map.field(0, 5);
    CHECK(map.walk(found).error->message.find("3 were found") != std::string::npos);
    CHECK(found.size() == 3);
  }
  SECTION("directory length") {
    IntMap map = two_tables();
    map.field(24, 3);
    CHECK(map.walk(found).error->code == ErrorCode::malformed_data);
  }
  SECTION("a directory entry leads nowhere") {
    IntMap map = two_tables();
    const auto directory = read_pointer(map.build.memory(), {map.header.value + 16});
    map.build.memory().u64({directory->value}, 0x10);
    CHECK(map.walk(found).error->code == ErrorCode::unreadable_memory);
    CHECK(found.size() == 3);  // The second entry leads to the same table.
  }
  SECTION("overflow buckets in a circle") {
    IntMap map = growing();
    const auto buckets = read_pointer(map.build.memory(), {map.header.value + 16});
    map.build.memory().pointer({buckets->value + map.unit_bytes() - 8}, *buckets);
    CHECK(map.walk(found).error->message.find("circle") != std::string::npos);
    CHECK(found.size() == 4);
  }
  SECTION("absurd number of buckets") {
    IntMap map = growing();
    map.field(8, 60 << 8);
    CHECK(map.walk(found).error);
    CHECK(found.empty());
  }
  SECTION("absurd number of buckets, just in bounds") {
    IntMap map = growing();
    map.field(8, 36 << 8);
    CHECK(map.walk(found).error);  // And it ends.
  }
}

TEST_CASE("a missing byte costs at most the unit it is in") {
  for (const bool swiss : {false, true}) {
    const IntMap map = swiss ? two_tables() : growing();
    Entries whole;
    (void)map.walk(whole);
    const auto shape = map.shape();
    REQUIRE(shape);
    for (const Address hole : map.build.memory().addresses()) {
      if (hole < Address{0xc000000000}) continue;  // The types.
      const MemoryImage image = map.build.memory().drop(hole);
      Entries found;
      const MapWalk walk = map.walk(found, &image);
      for (const auto& [key, value] : found) CHECK(whole.at(key) == value);
      if (found.size() < whole.size()) REQUIRE(walk.error);
      if (walk.error) CHECK(walk.error->address == hole);
    }
  }
}

TEST_CASE("a unit that is neither form, or whose slots do not fit, gives no shape") {
  TypeBuilder build({27, 0});
  const Address word = build.basic(GoKind::uint64, 8, "uint64");
  const Address other = build.structure({{"a", word, 0}}, 8, "");
  const Address large = build.structure({{"a", word, 0}}, 100'000, "main.Large", "main");
  const Address group = build.group(word, 8, word, 8);
  const RuntimeTypes types(build.memory(), {27, 0}, TypeBuilder::modules());
  CHECK(map_shape(**types.at(other), **types.at(word), **types.at(word)).error().code ==
        ErrorCode::unsupported);
  // A large element is behind a pointer, which this group has room for.
  const auto shape = map_shape(**types.at(group), **types.at(word), **types.at(large));
  REQUIRE(shape);
  CHECK(shape->indirect_element);
  CHECK_FALSE(shape->indirect_key);
  const Address text = build.basic(GoKind::string, 16, "string");
  const RuntimeTypes more(build.memory(), {27, 0}, TypeBuilder::modules());
  CHECK_FALSE(map_shape(**more.at(group), **more.at(text), **more.at(word)));
}

}  // namespace cgo
