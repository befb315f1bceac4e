// A C heap where every word may be wrong. Input: the release (1 byte), the address of the main
// arena, a thread pointer, and an address to ask for (8 bytes each), then pieces of memory, each as
// address (8 bytes), size (4 bytes) and contents. A piece is a mapping, too.
#include <cstdint>

#include "heap/c_heap.h"
#include "heap/thread_areas.h"
#include "support/memory_image.h"
#include "target/byte_view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cgo;
  const ByteView input = std::as_bytes(std::span(data, size));
  const auto release = load<std::uint8_t>(input, 0);
  const auto arena = load<std::uint64_t>(input, 1), thread = load<std::uint64_t>(input, 9),
             asked = load<std::uint64_t>(input, 17);
  if (!release || !arena || !thread || !asked) return 0;
  MemoryImage memory;
  std::vector<Mapping> mappings;
  for (std::uint64_t at = 25; mappings.size() < 64;) {
    const auto address = load<std::uint64_t>(input, at);
    const auto bytes = load<std::uint32_t>(input, at + 8);
    if (!address || !bytes) break;
    const auto contents = slice(input, at + 12, *bytes);
    const auto end = checked_add({*address}, *bytes);
    if (!contents || !end) break;
    memory.bytes({*address}, *contents);
    mappings.push_back({.range = {{*address}, *end}, .readable = true, .writable = true});
    at += 12 + *bytes;
  }
  const std::uint16_t minor = 27 + *release % 15;
  const MappingList list(mappings);
  for (const Mapping& mapping : mappings) (void)find_main_arena(memory, mapping.range);
  const ThreadPlace places[] = {{1, {*thread}}};
  (void)thread_areas(memory, places, 256);
  CHeap heap({.memory = &memory,
              .mappings = &list,
              .layout = *glibc_layout_for({2, minor}),
              .main_arena = {*arena},
              .thread_pointers = {{*thread}},
              .every_thread = true,
              .neighbours = {{*asked}},
              .most_chunks = 10'000});
  (void)heap.find({*asked});
  for (const Mapping& mapping : mappings)
    for (std::uint64_t i = 0; i < 8; ++i)
      (void)heap.find({mapping.range.begin.value + i * (mapping.range.bytes() / 8)});
  return 0;
}
