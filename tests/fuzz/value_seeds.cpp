#include "seeds.h"
#include "support/elf_builder.h"
#include "support/type_builder.h"

namespace cgo {
namespace {

/// All memory of the builder, and a value of a type in it.
std::vector<std::byte> as_input(const TypeBuilder& build, Address type, std::uint64_t value) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(build.version().minor - 19)).u64(type.value).u64(value);
  const std::vector<Address> addresses = build.memory().addresses();
  for (std::size_t first = 0; first < addresses.size();) {
    std::size_t end = first + 1;
    while (end < addresses.size() && addresses[end].value == addresses[end - 1].value + 1) ++end;
    std::vector<std::byte> bytes(end - first);
    (void)build.memory().read(addresses[first], bytes);
    out.u64(addresses[first].value).u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    first = end;
  }
  return out.take();
}

/// A structure with a value of each kind that leads on to other memory.
std::vector<std::byte> input(GoVersion version) {
  TypeBuilder build(version);
  const Address integer = build.basic(GoKind::int_, 8, "int");
  const Address text = build.basic(GoKind::string, 16, "string");
  const Address any = build.interface({}, "interface {}");
  const Address list = build.slice(integer, "[]int");
  const bool swiss = version.minor >= 24;
  const Address unit =
      swiss ? build.group(text, 16, integer, 8) : build.bucket(text, 16, integer, 8);
  const Address map = build.map(text, integer, unit, "map[string]int");
  const Address channel = build.channel(integer, 3, "chan int");
  const Address pair = build.structure({{"A", integer, 0}, {"B", any, 8}}, 24, "p.Pair", "a/p");
  const Address pointer = build.pointer(pair, "*p.Pair");
  const Address all = build.structure({{"S", text, 0},
                                       {"L", list, 16},
                                       {"M", map, 40},
                                       {"C", channel, 48},
                                       {"P", pointer, 56},
                                       {"I", any, 64}},
                                      80, "p.All", "a/p");
  MemoryImage& memory = build.memory();
  const auto words = [&](std::initializer_list<std::uint64_t> values) {
    const Address at = build.data(values.size() * 8);
    std::uint64_t i = 0;
    for (const std::uint64_t value : values) memory.u64({at.value + 8 * i++}, value);
    return at.value;
  };
  const Address letters = build.data(8);
  memory.text(letters, "letters");
  const Address entries = build.data(8 + 8 * 24 + 8);
  memory.u64(entries, swiss ? 0x8080808080808011 : 0x80);
  memory.u64({entries.value + 8}, letters.value).u64({entries.value + 16}, 3);
  const std::uint64_t header = words({1, 0, entries.value, 0, 0, 0});
  const std::uint64_t buffer = words({1, 2});
  const std::uint64_t queue = words({2, 2, buffer, 8, 0, integer.value, 0, 0, 0, 0, 0, 0});
  const std::uint64_t inner = words({5, integer.value, buffer});
  const std::uint64_t root =
      words({letters.value, 7, buffer, 2, 2, header, queue, inner, pointer.value, inner});
  return as_input(build, all, root);
}

/// A time.Time in a zone of its own, with changes and a rule for later ones.
std::vector<std::byte> time_input() {
  TypeBuilder build({27, 0});
  const Address number = build.basic(GoKind::int64, 8, "int64");
  const Address byte = build.basic(GoKind::uint8, 1, "uint8");
  const Address text = build.basic(GoKind::string, 16, "string");
  const Address zone = build.structure(
      {{"name", text, 0}, {"offset", number, 16}, {"isDST", byte, 24}}, 32, "time.zone", "time");
  const Address change =
      build.structure({{"when", number, 0}, {"index", byte, 8}}, 16, "time.zoneTrans", "time");
  const Address place = build.structure({{"name", text, 0},
                                         {"zone", build.slice(zone, "[]time.zone"), 16},
                                         {"tx", build.slice(change, "[]time.zoneTrans"), 40},
                                         {"extend", text, 64}},
                                        80, "time.Location", "time");
  const Address time = build.structure({{"wall", number, 0},
                                        {"ext", number, 8},
                                        {"loc", build.pointer(place, "*time.Location"), 16}},
                                       24, "time.Time", "time");
  const Address letters = build.data(32), zones = build.data(64), changes = build.data(32),
                location = build.data(80), value = build.data(24);
  build.memory().text(letters, "CET-1CEST,M3.5.0,M10.5.0/3 Place");
  const auto words = [&](Address at, std::initializer_list<std::uint64_t> all) {
    std::uint64_t i = 0;
    for (const std::uint64_t word : all) build.memory().u64({at.value + 8 * i++}, word);
  };
  words(zones, {letters.value, 3, 3600, 0, letters.value + 5, 4, 7200, 1});
  words(changes, {0, 0, 1000, 1});
  words(location,
        {letters.value + 27, 5, zones.value, 2, 2, changes.value, 2, 2, letters.value, 26});
  words(value, {0, 62135596800 + 4102444800, location.value});
  return as_input(build, time, value.value);
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("go1.19", input({19, 0}));
  out.add("go1.23", input({23, 0}));
  out.add("go1.27", input({27, 0}));
  out.add("time", time_input());
}

}  // namespace cgo
