#include <cstring>

#include "seeds.h"
#include "support/glibc_heap_builder.h"

namespace cgo {
namespace {

using Build = GlibcHeapBuilder;

template <class Integer>
void put(std::vector<std::byte>& out, Integer value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_memory(std::vector<std::byte>& out, const MemoryImage& memory, Address from,
                std::uint32_t bytes) {
  std::vector<std::byte> contents(bytes);
  if (!memory.read(from, contents)) return;
  put(out, from.value);
  put(out, bytes);
  out.insert(out.end(), contents.begin(), contents.end());
}

std::vector<std::byte> input(Build& build, Address asked) {
  std::vector<std::byte> out;
  put(out, std::uint8_t{36 - 27});
  put(out, Build::kArena.value);
  put(out, Build::kThread.value);
  put(out, asked.value);
  const MemoryImage& memory = build.memory();
  put_memory(out, memory, Build::kArena, 0x900);
  put_memory(out, memory, Build::kHeap, 0x1000);
  put_memory(out, memory, Build::kOther, 0x1800);
  put_memory(out, memory, {Build::kThread.value - 0x100}, 0x200);
  return out;
}

}  // namespace

void write_seeds(const SeedWriter& out) {
  Build build(0x1000, 0x2000);
  const Address lives = build.add(0x30), cached = build.add(0x50), fast = build.add(0x40);
  build.add(0x20);
  const Address binned = build.add(0x300);
  build.add(0x20);
  const Address other = build.add_to_other(0x60);
  build.finish();
  out.add("live", input(build, lives));
  build.free_to_cache(cached);
  build.free_to_fast_bin(fast);
  build.free_to_bin(binned);
  out.add("freed", input(build, cached));
  out.add("other_arena", input(build, other));
  build.memory().u64({binned.value - 8}, 0x4141414141414141);
  out.add("damaged", input(build, binned));
}

}  // namespace cgo
