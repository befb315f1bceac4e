#include "seeds.h"
#include "support/elf_builder.h"
#include "support/type_builder.h"

namespace cgo {
namespace {

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
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(version.minor - 19)).u64(all.value).u64(root);
  const std::vector<Address> addresses = memory.addresses();
  for (std::size_t first = 0; first < addresses.size();) {
    std::size_t end = first + 1;
    while (end < addresses.size() && addresses[end].value == addresses[end - 1].value + 1) ++end;
    std::vector<std::byte> bytes(end - first);
    (void)memory.read(addresses[first], bytes);
    out.u64(addresses[first].value).u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    first = end;
  }
  return out.take();
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  out.add("go1.19", input({19, 0}));
  out.add("go1.23", input({23, 0}));
  out.add("go1.27", input({27, 0}));
}

}  // namespace cgo
