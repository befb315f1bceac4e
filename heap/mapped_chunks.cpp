#include "heap/mapped_chunks.h"

#include "target/byte_view.h"

namespace cgo {
namespace {

constexpr std::uint64_t kPage = 4096, kMapped = 2, kFlags = 7, kHeader = 16;
constexpr unsigned kMostBlocks = 100'000, kMostPagesBack = 2048;

/// What malloc gave out of the pages `range`: a block of an alignment that was asked for has a
/// header of its own further in, which says how far. Source: glibc malloc/malloc.c, _int_memalign.
AddressRange block_in(const MemoryReader& memory, AddressRange range) {
  for (std::uint64_t alignment = 32; alignment < range.bytes(); alignment *= 2) {
    const Address block{(range.begin.value + kHeader + alignment - 1) / alignment * alignment};
    if (block >= range.end) break;
    const std::uint64_t lead = block.value - kHeader - range.begin.value;
    const auto header = read_bytes(memory, {block.value - kHeader}, kHeader, kHeader);
    if (lead != 0 && header && load<std::uint64_t>(*header, 0) == lead &&
        load<std::uint64_t>(*header, 8) == ((range.bytes() - lead) | kMapped))
      return {block, range.end};
  }
  return {{range.begin.value + kHeader}, range.end};
}

/// The chunk whose pages begin at `at`. Source: glibc malloc/malloc.c, sysmalloc and munmap_chunk.
std::optional<MappedChunk> chunk_from(const MemoryReader& memory, Address at, Address end) {
  const auto header = read_bytes(memory, at, kHeader, kHeader);
  if (!header) return std::nullopt;
  const std::uint64_t before = load<std::uint64_t>(*header, 0).value_or(1);
  const std::uint64_t size = load<std::uint64_t>(*header, 8).value_or(0);
  const std::uint64_t bytes = size & ~kFlags;
  if (before != 0 || (size & kFlags) != kMapped || bytes < kPage || bytes % kPage != 0 ||
      bytes > end.value - at.value)
    return std::nullopt;
  const Address behind{at.value + bytes};
  return MappedChunk{{at, behind}, {}};
}

/// Blocks that lie one behind another.
struct Tiles {
  std::optional<MappedChunk> holds;  // The one that holds the address.
  Address end;                       // Of the last one.
  bool whole = false;                // They end where the mapping does.
};

Tiles tiles_from(const MemoryReader& memory, Address at, Address end, Address address) {
  Tiles out;
  for (unsigned i = 0; i < kMostBlocks && at < end; ++i) {
    const auto chunk = chunk_from(memory, at, end);
    if (!chunk) break;
    if (chunk->range.contains(address)) out.holds = chunk;
    at = chunk->range.end;
  }
  out.end = at;
  out.whole = at == end;
  return out;
}

MappedChunk with_block(const MemoryReader& memory, MappedChunk chunk) {
  chunk.block = block_in(memory, chunk.range);
  return chunk;
}

}  // namespace

std::optional<MappedChunk> mapped_chunk_at(const MemoryReader& memory, AddressRange range,
                                           Address address) {
  if (range.begin.value % kPage != 0 || !range.contains(address)) return std::nullopt;
  if (const Tiles front = tiles_from(memory, range.begin, range.end, address); front.holds)
    return with_block(memory, *front.holds);
  // Something else lies in the same mapping in front of the block.
  Address page{address.value / kPage * kPage};
  for (unsigned i = 0; i < kMostPagesBack && page > range.begin; ++i, page.value -= kPage)
    if (const Tiles back = tiles_from(memory, page, range.end, address); back.whole && back.holds)
      return with_block(memory, *back.holds);
  return std::nullopt;
}

Address behind_mapped_chunks(const MemoryReader& memory, AddressRange range) {
  if (range.begin.value % kPage != 0) return range.begin;
  return tiles_from(memory, range.begin, range.end, range.end).end;
}

}  // namespace cgo
