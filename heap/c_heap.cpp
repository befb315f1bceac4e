#include "heap/c_heap.h"

#include <fmt/format.h>

#include <algorithm>

#include "heap/mapped_chunks.h"

namespace cgo {
namespace {

/// A walk is resumed where a multiple of this many chunks was passed; no chunk is believed before
/// those up to there are.
constexpr std::uint64_t kChunksPerMark = 64;

CHeapPlace unknown(std::string reason) {
  return {CHeapPlace::Kind::unknown, {}, std::move(reason)};
}

CHeapPlace behind_is_damaged(AddressRange block, const Error& damage) {
  return {CHeapPlace::Kind::unknown, block,
          fmt::format("what lies behind it is damaged at {}: {}",
                      hex(damage.address.value_or(Address{})), damage.message)};
}

}  // namespace

CHeap::CHeap(Parts parts) : parts_(std::move(parts)) {
  arenas_ = read_arenas(*parts_.memory, parts_.layout, parts_.main_arena);
  find_main_region();
}

CHeap::~CHeap() = default;

const FreeLists& CHeap::free_lists() {
  if (!free_lists_)
    free_lists_ = std::make_unique<const FreeLists>(
        FreeLists::Sources{.memory = parts_.memory,
                           .layout = parts_.layout,
                           .arenas = arenas_.found,
                           .thread_pointers = parts_.thread_pointers,
                           .every_thread = parts_.every_thread,
                           .in_heap = [this](Address chunk) { return in_known_region(chunk); }});
  return *free_lists_;
}

CHeapPlace CHeap::of_chunk(const Region& region, const Chunk& chunk, Address address) {
  using Kind = CHeapPlace::Kind;
  const AddressRange block = chunk.block();
  if (address < block.begin) return {Kind::allocator, {}, ""};
  switch (chunk.kind) {
    case Chunk::Kind::top:
      return {Kind::unused, {block.begin, {chunk.at.value + chunk.bytes}}, ""};
    case Chunk::Kind::fence:
      return {Kind::allocator, {}, ""};
    case Chunk::Kind::free:
      return {Kind::freed, block, ""};
    case Chunk::Kind::in_use:
      break;
  }
  const FreeLists& lists = free_lists();
  if (lists.is_thread_cache(chunk.at)) return {Kind::allocator, {}, ""};
  if (region.damage && region.damage->code == ErrorCode::malformed_data &&
      region.damage->address == Address{chunk.at.value + chunk.bytes})
    return behind_is_damaged(block, *region.damage);
  switch (lists.state_of(*parts_.memory, chunk.at, chunk.bytes)) {
    case FreeLists::Answer::in_use:
      return {Kind::live, block, ""};
    case FreeLists::Answer::freed:
      return {Kind::freed, block, ""};
    case FreeLists::Answer::unknown:
      break;
  }
  return {Kind::unknown, block, "in use or freed: " + lists.gap()};
}

CHeapPlace CHeap::in_region(Region& region, Address address) {
  const AddressRange& range = region.chunks.range;
  if (address < range.begin) return {CHeapPlace::Kind::allocator, {}, ""};
  // A block reaches over the first word of the next chunk.
  const Address wanted{std::max(range.begin.value, address.value - 8)};
  const auto known = std::upper_bound(region.marks.begin(), region.marks.end(), wanted);
  const bool resumed = known != region.marks.begin();
  ChunkWalk walk(*parts_.memory, region.chunks, resumed ? *std::prev(known) : range.begin);
  std::optional<Chunk> holds;
  auto mark = static_cast<std::uint64_t>(known - region.marks.begin());
  const std::uint64_t first = resumed ? (mark - 1) * kChunksPerMark : 0;
  for (std::uint64_t i = first;; ++i) {
    if (i >= parts_.most_chunks) return unknown(fmt::format("over {} chunks lie before it", i));
    if (i % kChunksPerMark == 0) {
      // What was found is believed when a whole stretch behind one another fits.
      if (holds) break;
      if (i / kChunksPerMark >= region.marks.size()) region.marks.push_back(walk.position());
    }
    const auto chunk = walk.next();
    if (!chunk) {
      region.damage = chunk.error();
      break;
    }
    if (!*chunk) break;
    if (!holds && wanted.value < (*chunk)->at.value + (*chunk)->bytes) holds = **chunk;
  }
  if (holds) return of_chunk(region, *holds, address);
  if (!region.damage) return {CHeapPlace::Kind::allocator, {}, ""};
  const Error& damage = *region.damage;
  if (damage.code != ErrorCode::malformed_data) return unknown(damage.message);
  const Address last = walk.position();
  if (damage.address && *damage.address > last && wanted < *damage.address) {
    const AddressRange block{{last.value + 16}, {damage.address->value + 8}};
    if (block.contains(address)) return behind_is_damaged(block, damage);
  }
  return unknown(fmt::format("its chunks {} at {}: {}",
                             region.locked ? "were being changed, or are damaged," : "are damaged",
                             hex(damage.address.value_or(Address{})), damage.message));
}

std::optional<CHeapPlace> CHeap::find(Address address) {
  for (const Arena& arena : arenas_.found)
    if (AddressRange{arena.address, {arena.address.value + kArenaBytes}}.contains(address))
      return CHeapPlace{CHeapPlace::Kind::allocator, {}, ""};
  if (Region* region = region_of(address)) return in_region(*region, address);
  if (parts_.mappings == nullptr) return std::nullopt;
  const Mapping* mapping = parts_.mappings->find(address);
  if (mapping == nullptr || !mapping->readable || !mapping->path.empty()) return std::nullopt;
  const AddressRange range{first_behind_regions(mapping->range, address), mapping->range.end};
  const auto chunk = mapped_chunk_at(*parts_.memory, range, address);
  if (!chunk) return std::nullopt;
  if (address < chunk->block.begin) return CHeapPlace{CHeapPlace::Kind::allocator, {}, ""};
  return CHeapPlace{CHeapPlace::Kind::live, chunk->block, ""};
}

}  // namespace cgo
