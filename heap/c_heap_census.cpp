// All blocks of a C heap.
#include <fmt/format.h>

#include <algorithm>

#include "heap/c_heap.h"
#include "heap/mapped_chunks.h"
#include "target/address_ranges.h"

namespace cgo {
namespace {

constexpr std::size_t kChunksAtOnce = 64;
constexpr unsigned kMostHeaps = 100'000;
constexpr std::uint64_t kPage = 4096;

Address page_of(Address address) { return {address.value / kPage * kPage}; }
Address next_page(Address address) { return page_of({address.value + kPage - 1}); }

}  // namespace

/// The arenas name their heaps; what the main arena has beside its first region only the mappings
/// tell.
void CHeap::find_all_regions(Census& census) {
  if (arenas_.error)
    census.gaps.push_back("arenas of malloc are missing: " + arenas_.error->message);
  if (regions_.empty() && !arenas_.found.empty() && arenas_.found.front().top)
    census.gaps.push_back("where the main arena's heap begins is not known");
  for (const Arena& arena : arenas_.found) {
    if (arena.main || !arena.top) continue;
    Address at = arena.top;
    for (unsigned i = 0; i < kMostHeaps && at; ++i) {
      if (region_of(at) == nullptr) {
        census.gaps.push_back(
            fmt::format("no heap of the arena at {} lies at {}", hex(arena.address), hex(at)));
        break;
      }
      const auto info = decode_heap_info(*parts_.memory, parts_.layout,
                                         {at.value / kHeapAlignment * kHeapAlignment});
      at = info ? info->previous : Address{};
    }
  }
  const bool contiguous = arenas_.found.empty() || arenas_.found.front().contiguous;
  if (contiguous || parts_.mappings == nullptr) return;
  for (const Mapping& mapping : parts_.mappings->all())
    if (mapping.writable) (void)extra_main_region(mapping.range.begin);
}

void CHeap::visit_region(Region& region, const std::function<void(const CHeapPlace&)>& visit,
                         Census& census) {
  ChunkWalk walk(*parts_.memory, region.chunks, region.chunks.range.begin);
  std::vector<Chunk> chunks;
  chunks.reserve(kChunksAtOnce);
  bool ended = false;
  for (std::uint64_t seen = 0; !ended; seen += chunks.size()) {
    chunks.clear();
    // Chunks are believed when a whole stretch of them fits.
    while (chunks.size() < kChunksAtOnce && !ended) {
      const auto chunk = walk.next();
      if (!chunk) region.damage = chunk.error();
      ended = !chunk || !*chunk;
      if (!ended) chunks.push_back(**chunk);
    }
    for (const Chunk& chunk : chunks) {
      const CHeapPlace place = of_chunk(region, chunk, chunk.block().begin);
      if (place.kind != CHeapPlace::Kind::allocator && place.kind != CHeapPlace::Kind::unused)
        visit(place);
    }
    if (!ended && seen >= parts_.most_chunks) {
      census.gaps.push_back(fmt::format("more than {} blocks lie one behind another at {}",
                                        parts_.most_chunks, hex(region.chunks.range.begin)));
      return;
    }
  }
  if (region.damage)
    census.gaps.push_back(fmt::format(
        "from {} to {} blocks are not known: {}",
        hex(region.damage->address.value_or(walk.position())), hex(region.chunks.range.end),
        region.locked ? "malloc was changing them, or they are damaged" : region.damage->message));
}

CHeap::Census CHeap::for_each_block(std::span<const AddressRange> elsewhere,
                                    const std::function<void(const CHeapPlace&)>& visit) {
  Census census;
  find_all_regions(census);
  // Its lists and its top lead to headers, which lie in the last bytes of the blocks before them.
  for (const Arena& arena : arenas_.found)
    if (arena.main) census.ranges.push_back({arena.address, {arena.address.value + kArenaBytes}});
  std::vector<AddressRange> taken(elsewhere.begin(), elsewhere.end());
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    census.ranges.push_back({regions_[i]->begin, regions_[i]->chunks.range.end});
    visit_region(*regions_[i], visit, census);
  }
  if (!free_lists().gap().empty()) census.gaps.push_back(free_lists().gap());
  if (parts_.mappings == nullptr) {
    census.gaps.emplace_back("the mappings are not known: large blocks are missing");
    return census;
  }
  taken.insert(taken.end(), census.ranges.begin(), census.ranges.end());
  // Other things in the same mapping: blocks begin with the page behind.
  for (const Address neighbour : parts_.neighbours) taken.push_back({neighbour, neighbour});
  for (AddressRange& one : taken) one = {page_of(one.begin), next_page(one.end)};
  std::ranges::sort(taken, {}, &AddressRange::begin);
  for (const Mapping& mapping : parts_.mappings->all())
    if (mapping.readable && mapping.writable && mapping.path.empty())
      for (const AddressRange part : without(mapping.range, taken))
        for_each_mapped_chunk(*parts_.memory, part, [&](const MappedChunk& chunk) {
          census.ranges.push_back(chunk.range);
          visit({CHeapPlace::Kind::live, chunk.block, ""});
        });
  return census;
}

}  // namespace cgo
