// Where the runs of chunks of a C heap begin and end.
#include <algorithm>

#include "heap/c_heap.h"
#include "heap/mapped_chunks.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPage = 4096;

Address aligned_up(Address address, std::uint64_t to) {
  return {(address.value + to - 1) / to * to};
}

/// The end of the memory that a contiguous main arena has from the system.
std::optional<Address> end_of_top(const MemoryReader& memory, const Arena& arena) {
  const auto size = read_unsigned<std::uint64_t>(memory, {arena.top.value + 8});
  if (!size || *size % 16 != 1) return std::nullopt;
  return checked_add(arena.top, *size - 1);
}

}  // namespace

/// The end of the last chunk, when all of them fit together up to one that is the last.
std::optional<Address> CHeap::fence_of(const ChunkRegion& region) const {
  ChunkWalk walk(*parts_.memory, region, region.range.begin);
  for (std::uint64_t i = 0; i < parts_.most_chunks; ++i) {
    const auto chunk = walk.next();
    if (!chunk || !*chunk) return std::nullopt;
    if ((*chunk)->kind == Chunk::Kind::top || (*chunk)->kind == Chunk::Kind::fence)
      return Address{(*chunk)->at.value + (*chunk)->bytes};
  }
  return std::nullopt;
}

/// The main arena's heap ends behind its top chunk and has as many bytes as the arena says, or
/// begins with its mapping. One that both say needs no proof; else the chunks must lead to the end.
void CHeap::find_main_region() {
  if (arenas_.found.empty() || !arenas_.found.front().top) return;
  const Arena& arena = arenas_.found.front();
  const auto end = end_of_top(*parts_.memory, arena);
  const Mapping* mapping = parts_.mappings ? parts_.mappings->find(arena.top) : nullptr;
  std::vector<Address> by_mapping;
  if (mapping != nullptr) {
    by_mapping.push_back(mapping->range.begin);
    for (const Address neighbour : parts_.neighbours)
      if (mapping->range.contains(neighbour)) by_mapping.push_back(aligned_up(neighbour, kPage));
  }
  if (!end || (mapping != nullptr && mapping->range.end < *end)) {
    if (mapping != nullptr) find_region_with_damaged_top(mapping->range.end, by_mapping);
    return;
  }
  const auto by_size = checked_sub(*end, arena.system_bytes);
  const auto chunks_from = [&](Address begin) {
    return ChunkRegion{{aligned_up(begin, 16), *end}, arena.top, true};
  };
  const bool sized = arena.contiguous && by_size && *by_size <= arena.top;
  if (sized && std::find(by_mapping.begin(), by_mapping.end(), *by_size) != by_mapping.end())
    return add_main_region(chunks_from(*by_size), *by_size);
  if (sized) by_mapping.insert(by_mapping.begin(), *by_size);
  for (const Address begin : by_mapping)
    if (begin <= arena.top && fence_of(chunks_from(begin)))
      return add_main_region(chunks_from(begin), begin);
  if (mapping != nullptr) find_extra_regions(*mapping);
}

/// The last chunk's size was overwritten, as by a program that writes behind its last block: where
/// all chunks lead to it they are what they seem.
void CHeap::find_region_with_damaged_top(Address end, const std::vector<Address>& begins) {
  const Arena& arena = arenas_.found.front();
  for (const Address begin : begins) {
    if (begin > arena.top) continue;
    const ChunkRegion chunks{{aligned_up(begin, 16), end}, arena.top, true};
    ChunkWalk walk(*parts_.memory, chunks, chunks.range.begin);
    std::optional<Error> damage;
    for (std::uint64_t i = 0; i < parts_.most_chunks && !damage; ++i) {
      const auto chunk = walk.next();
      if (!chunk) damage = chunk.error();
      if (chunk && !*chunk) break;
    }
    if (damage && damage->address == arena.top) return add_main_region(chunks, begin);
  }
}

bool CHeap::in_known_region(Address address) const {
  if (!arenas_.found.empty() && !arenas_.found.front().contiguous && parts_.mappings != nullptr) {
    const Mapping* mapping = parts_.mappings->find(address);
    return mapping != nullptr && mapping->writable;
  }
  if (known_region(address) != nullptr) return true;
  const Address heap{address.value / kHeapAlignment * kHeapAlignment};
  const auto info = decode_heap_info(*parts_.memory, parts_.layout, heap);
  if (!info || address.value - heap.value >= info->bytes) return false;
  return std::any_of(arenas_.found.begin(), arenas_.found.end(),
                     [&](const Arena& arena) { return arena.address == info->arena; });
}

CHeap::Region* CHeap::heap_region(Address address) {
  const auto info = decode_heap_info(*parts_.memory, parts_.layout, address);
  if (!info || address.value - info->address.value >= info->bytes) return nullptr;
  const auto arena =
      std::find_if(arenas_.found.begin(), arenas_.found.end(),
                   [&](const Arena& known) { return known.address == info->arena && !known.main; });
  if (arena == arenas_.found.end()) return nullptr;
  auto region = std::make_unique<Region>();
  region->begin = info->address;
  const Address first{info->address.value + parts_.layout.heap_info_bytes +
                      (info->previous ? 0 : kArenaBytes)};
  region->chunks.range = {aligned_up(first, 16), {info->address.value + info->bytes}};
  if (region->chunks.range.contains(arena->top)) region->chunks.top = arena->top;
  region->locked = arena->locked;
  regions_.push_back(std::move(region));
  return regions_.back().get();
}

/// The first address of `mapping` that no known region in front of `address` takes.
Address CHeap::first_behind_regions(AddressRange mapping, Address address) const {
  Address begin = mapping.begin;
  for (const auto& region : regions_) {
    const Address end = region->chunks.range.end;
    if (mapping.contains(end) && end <= address) begin = std::max(begin, aligned_up(end, kPage));
  }
  for (const Address end : parts_.neighbours)
    if (mapping.contains(end) && end <= address) begin = std::max(begin, aligned_up(end, kPage));
  return begin;
}

/// Where the main arena could not grow any more it goes on in mappings, next to blocks with
/// mappings of their own and to other arenas' heaps. What it left ends with a fence.
void CHeap::find_extra_regions(const Mapping& mapping) {
  if (!searched_.insert(mapping.range.begin).second) return;
  find_extra_regions(mapping, mapping.range.begin);
  for (const Address neighbour : parts_.neighbours)
    if (mapping.range.contains(neighbour))
      find_extra_regions(mapping, aligned_up(neighbour, kPage));
}

void CHeap::find_extra_regions(const Mapping& mapping, Address at) {
  constexpr unsigned kMostRegions = 1000;
  const Arena& arena = arenas_.found.front();
  const auto top_end = end_of_top(*parts_.memory, arena);
  for (unsigned i = 0; i < kMostRegions && at < mapping.range.end; ++i) {
    at = behind_mapped_chunks(*parts_.memory, {at, mapping.range.end});
    if (const auto info = decode_heap_info(*parts_.memory, parts_.layout, at);
        info && info->address == at) {
      at.value += info->bytes;
      continue;
    }
    ChunkRegion chunks{{at, mapping.range.end}, {}, true};
    auto end = fence_of(chunks);
    if (!end && top_end && arena.top >= at && *top_end <= mapping.range.end) {
      chunks = {{at, *top_end}, arena.top, true};
      end = fence_of(chunks);
    }
    if (!end) return;
    chunks.range.end = *end;
    add_main_region(chunks, at);
    at = aligned_up(*end, kPage);
  }
}

CHeap::Region* CHeap::extra_main_region(Address address) {
  if (arenas_.found.empty() || arenas_.found.front().contiguous || parts_.mappings == nullptr)
    return nullptr;
  const Mapping* mapping = parts_.mappings->find(address);
  if (mapping == nullptr || !mapping->writable) return nullptr;
  if (!mapping->path.empty() && mapping->path != "[heap]") return nullptr;
  find_extra_regions(*mapping);
  return known_region(address);
}

void CHeap::add_main_region(const ChunkRegion& chunks, Address begin) {
  if (known_region(begin) != nullptr) return;
  auto region = std::make_unique<Region>();
  region->begin = begin;
  region->chunks = chunks;
  region->locked = arenas_.found.front().locked;
  regions_.push_back(std::move(region));
}

CHeap::Region* CHeap::known_region(Address address) const {
  for (const auto& region : regions_)
    if (AddressRange{region->begin, region->chunks.range.end}.contains(address))
      return region.get();
  return nullptr;
}

CHeap::Region* CHeap::region_of(Address address) {
  if (Region* region = known_region(address)) return region;
  if (Region* region = heap_region(address)) return region;
  return extra_main_region(address);
}

}  // namespace cgo
