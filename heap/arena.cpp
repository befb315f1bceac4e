#include "heap/arena.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: glibc malloc/malloc.c, struct malloc_state, 2.27 to 2.41.
constexpr std::uint64_t kFlags = 4, kFastBins = 0x10, kTop = 0x60, kBins = 0x70, kBinMap = 0x860,
                        kNext = 0x870, kSystemMem = 0x888, kMaxSystemMem = 0x890;
constexpr std::uint32_t kNonContiguous = 2;
constexpr std::uint64_t kBinCount = 127, kMostLocked = 2;
constexpr std::size_t kMostArenas = 4096;
constexpr std::uint64_t kHighestAddress = 0x7fffffffffff;

/// A pointer to a chunk that user space can have.
bool plausible(std::uint64_t chunk) {
  return chunk % 16 == 0 && chunk >= 4096 && chunk <= kHighestAddress;
}

/// Each bin is a ring of chunks; an empty one points at itself, as if it were a chunk.
bool bins_fit(ByteView bytes, Address at) {
  // No program has free chunks of nearly every size; tables of pointers look like such an arena.
  constexpr unsigned kLeastEmpty = 16;
  unsigned empty = 0;
  for (std::uint64_t i = 0; i < kBinCount; ++i) {
    const std::uint64_t offset = kBins + i * 16, itself = at.value + offset - 16;
    const auto first = load<std::uint64_t>(bytes, offset),
               last = load<std::uint64_t>(bytes, offset + 8);
    if (!first || !last || (*first == itself) != (*last == itself)) return false;
    if (*first == itself) ++empty;
    if (*first != itself && (!plausible(*first) || !plausible(*last))) return false;
  }
  return empty >= kLeastEmpty;
}

std::optional<Arena> arena_in(ByteView bytes, Address at) {
  const auto word = [&](std::uint64_t offset) {
    return load<std::uint64_t>(bytes, offset).value_or(0);
  };
  const auto lock = load<std::uint32_t>(bytes, 0), flags = load<std::uint32_t>(bytes, kFlags);
  if (!lock || !flags || *lock > kMostLocked || !bins_fit(bytes, at)) return std::nullopt;
  Arena arena{.address = at};
  arena.locked = *lock != 0;
  arena.contiguous = (*flags & kNonContiguous) == 0;
  arena.system_bytes = word(kSystemMem);
  arena.next = {word(kNext)};
  if (!arena.next || arena.next.value % 8 != 0 || arena.system_bytes > word(kMaxSystemMem))
    return std::nullopt;
  // Before the first allocation top is the first bin.
  if (word(kTop) != at.value + kBins - 16) arena.top = {word(kTop)};
  if (arena.top && !plausible(arena.top.value)) return std::nullopt;
  for (std::size_t i = 0; i < arena.fast_bins.size(); ++i)
    arena.fast_bins[i] = {word(kFastBins + i * 8)};
  return arena;
}

/// With a last remainder what lies 16 bytes before an arena looks like one too: its bins but the
/// first are those of the arena. But the ring of arenas leads from there to nowhere.
bool ring_goes_on(const MemoryReader& memory, ByteView bytes, Address at) {
  const auto arena = arena_in(bytes, at);
  return arena && (arena->next == at || decode_arena(memory, arena->next));
}

}  // namespace

Result<Arena> decode_arena(const MemoryReader& memory, Address at) {
  auto bytes = read_bytes(memory, at, kArenaBytes);
  if (!bytes) return std::move(bytes).error().in("malloc's arena");
  const auto arena = arena_in(*bytes, at);
  if (!arena)
    return Error{ErrorCode::malformed_data, "what lies at " + hex(at) + " is no arena of malloc",
                 at};
  return *arena;
}

Result<Address> find_main_arena(const MemoryReader& memory, AddressRange range) {
  constexpr std::uint64_t kMostBytes = 1 << 20;  // Those of glibc 2.36: 40 KB.
  auto bytes = read_bytes(memory, range.begin, range.bytes(), kMostBytes);
  if (!bytes) return std::move(bytes).error().in("variables of the C library");
  std::optional<Address> found;
  for (std::uint64_t at = 0; at + kArenaBytes <= bytes->size(); at += 8) {
    const Address address{range.begin.value + at};
    if (!arena_in(ByteView(*bytes).subspan(at, kArenaBytes), address)) continue;
    if (found) {
      const auto in_ring = [&](Address one) {
        const ByteView view = ByteView(*bytes).subspan(one.value - range.begin.value, kArenaBytes);
        return ring_goes_on(memory, view, one);
      };
      if (in_ring(*found) == in_ring(address))
        return Error{ErrorCode::malformed_data, "two places look like malloc's main arena",
                     address};
      if (!in_ring(address)) continue;
    }
    found = address;
  }
  if (!found)
    return Error{ErrorCode::not_found, "the C library's variables hold no arena of malloc"};
  return *found;
}

Result<HeapInfo> decode_heap_info(const MemoryReader& memory, const GlibcLayout& layout,
                                  Address address) {
  HeapInfo heap{.address = {address.value / kHeapAlignment * kHeapAlignment}};
  auto bytes = read_bytes(memory, heap.address, 24);
  if (!bytes) return std::move(bytes).error().in("heap_info");
  heap.arena = {load<std::uint64_t>(*bytes, 0).value_or(0)};
  heap.previous = {load<std::uint64_t>(*bytes, 8).value_or(0)};
  heap.bytes = load<std::uint64_t>(*bytes, 16).value_or(0);
  const bool first = heap.arena.value == heap.address.value + layout.heap_info_bytes;
  const bool sane = heap.bytes >= 4096 && heap.bytes <= kHeapAlignment && heap.bytes % 4096 == 0 &&
                    heap.previous.value % kHeapAlignment == 0 && first == !heap.previous &&
                    heap.arena.value % kHeapAlignment == layout.heap_info_bytes;
  if (!sane)
    return Error{ErrorCode::malformed_data, "no heap of malloc begins at " + hex(heap.address),
                 heap.address};
  return heap;
}

Arenas read_arenas(const MemoryReader& memory, const GlibcLayout& layout, Address main) {
  Arenas out;
  std::unordered_set<Address> seen;
  for (Address at = main;;) {
    if (seen.size() >= kMostArenas || !seen.insert(at).second) {
      out.error = Error{ErrorCode::malformed_data, "the ring of malloc's arenas is damaged", at};
      return out;
    }
    auto arena = decode_arena(memory, at);
    if (arena && at != main) {
      const auto heap = decode_heap_info(memory, layout, at);
      if (!heap || heap->arena != at)
        arena = Error{ErrorCode::malformed_data,
                      hex(at) + " in the ring of malloc's arenas is none", at};
    }
    if (!arena) {
      out.error = std::move(arena).error();
      return out;
    }
    arena->main = at == main;
    out.found.push_back(*arena);
    at = arena->next;
    if (at == main) return out;
  }
}

}  // namespace cgo
