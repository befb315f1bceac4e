#include "heap/free_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "target/byte_view.h"

namespace cgo {
namespace {

// Source: glibc malloc/malloc.c: TCACHE_MAX_BINS, csize2tidx, fastbin_index, PROTECT_PTR.
constexpr std::uint64_t kCacheBins = 64, kLeastChunk = 32, kLargestCached = 0x410;
constexpr std::uint64_t kFlags = 7, kMapped = 2;
constexpr std::uint64_t kMostEntries = 1u << 20;
/// How far below the thread pointer the C library's own thread-local variables may lie.
constexpr std::uint64_t kTlsBytes = 16 * 1024;

std::uint64_t cache_bytes(const GlibcLayout& layout) {
  return kCacheBins * (layout.count_bytes + 8);
}

std::uint64_t chunk_bytes_of(std::uint64_t block) { return (block + 8 + 15) / 16 * 16; }

/// The counts and first entries of a thread's cache; nothing where they contradict each other.
struct Cache {
  std::uint64_t count[kCacheBins];
  Address first[kCacheBins];
};

std::optional<Cache> cache_at(const MemoryReader& memory, const GlibcLayout& layout, Address at) {
  const auto bytes = read_bytes(memory, at, cache_bytes(layout), 4096);
  if (!bytes) return std::nullopt;
  Cache cache;
  for (std::uint64_t i = 0; i < kCacheBins; ++i) {
    cache.count[i] = layout.count_bytes == 2 ? load<std::uint16_t>(*bytes, i * 2).value_or(0)
                                             : load<std::uint8_t>(*bytes, i).value_or(0);
    cache.first[i] = {
        load<std::uint64_t>(*bytes, kCacheBins * layout.count_bytes + i * 8).value_or(0)};
  }
  return cache;
}

bool consistent(const Cache& cache) {
  for (std::uint64_t i = 0; i < kCacheBins; ++i)
    if ((cache.count[i] == 0) != !cache.first[i] || cache.first[i].value % 16 != 0) return false;
  return true;
}

}  // namespace

FreeLists::FreeLists(const Sources& sources) {
  read_fast_bins(sources);
  find_thread_caches(sources);
}

void FreeLists::missed(std::uint64_t smallest, std::uint64_t largest, std::string why) {
  for (std::uint64_t bytes = smallest; bytes <= largest && bytes / 16 < kSizes; bytes += 16)
    unknown_.set(bytes / 16);
  if (gap_.empty()) gap_ = std::move(why);
}

bool FreeLists::follow(const Sources& sources, const List& list) {
  const MemoryReader& memory = *sources.memory;
  std::uint64_t count = 0;
  for (Address chunk = list.first; chunk; ++count) {
    if (freed_.size() >= kMostEntries) return false;
    if (count >= list.most) return false;
    if (chunk.value % 16 != 0 || !sources.in_heap(chunk)) return false;
    const auto size = read_unsigned<std::uint64_t>(memory, {chunk.value + 8});
    if (!size || (*size & ~kFlags) != list.chunk_bytes || *size & kMapped) return false;
    if (!freed_.emplace(chunk, list.place).second) return false;  // A ring, or in two lists.
    const Address at{chunk.value + list.link};
    const auto link = read_unsigned<std::uint64_t>(memory, at);
    if (!link) return false;
    const std::uint64_t next = sources.layout.mangled_links ? *link ^ at.value >> 12 : *link;
    if (list.place == Place::thread_cache) {
      if (next != 0 && next < 16) return false;
      chunk = {next == 0 ? 0 : next - 16};
    } else {
      chunk = {next};
    }
  }
  return list.place == Place::fast_bin || count == list.most;
}

/// Of a list that was not followed to its end.
std::string FreeLists::damaged(std::string list) const {
  if (freed_.size() >= kMostEntries) return "more blocks were freed than are looked at";
  return std::move(list) + " is damaged";
}

void FreeLists::read_fast_bins(const Sources& sources) {
  for (const Arena& arena : sources.arenas)
    for (std::size_t i = 0; i < arena.fast_bins.size(); ++i) {
      const List list{.first = arena.fast_bins[i],
                      .link = 16,
                      .chunk_bytes = kLeastChunk + i * 16,
                      .most = kMostEntries,
                      .place = Place::fast_bin};
      if (follow(sources, list)) continue;
      missed(list.chunk_bytes, list.chunk_bytes,
             damaged("a list of freed blocks") + " (a fastbin of the arena at " +
                 hex(arena.address) + ")");
    }
}

/// The variable `tcache` lies at one distance from every thread pointer; where, what it points to
/// tells.
void FreeLists::find_thread_caches(const Sources& sources) {
  const MemoryReader& memory = *sources.memory;
  const std::uint64_t wanted = chunk_bytes_of(cache_bytes(sources.layout));
  const auto is_cache = [&](std::uint64_t block) {
    if (block % 16 != 0 || block < 16 || !sources.in_heap({block - 16})) return false;
    const auto size = read_unsigned<std::uint64_t>(memory, {block - 8});
    if (!size || (*size & ~kFlags) != wanted || *size & kMapped) return false;
    const auto cache = cache_at(memory, sources.layout, {block});
    return cache && consistent(*cache);
  };
  std::map<std::uint64_t, std::size_t> found;  // How many caches, by distance.
  std::vector<std::vector<std::byte>> variables;
  bool every_thread = sources.every_thread;
  for (const Address thread : sources.thread_pointers) {
    auto& bytes = variables.emplace_back();
    // What lies above is there; how far down it goes differs.
    for (std::uint64_t size = kTlsBytes; size >= 128 && bytes.empty(); size /= 2)
      if (thread.value > size)
        if (auto read = read_bytes(memory, {thread.value - size}, size)) bytes = *std::move(read);
    for (std::uint64_t down = 8; down <= bytes.size(); down += 8)
      if (is_cache(load<std::uint64_t>(bytes, bytes.size() - down).value_or(0))) ++found[down];
  }
  if (found.empty()) {
    missed(kLeastChunk, kLargestCached,
           "the lists of freed blocks that threads keep were not found");
    return;
  }
  const auto best = std::max_element(
      found.begin(), found.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  for (const auto& bytes : variables) {
    const auto at = [&](std::uint64_t down) {
      return bytes.size() < down ? std::nullopt : load<std::uint64_t>(bytes, bytes.size() - down);
    };
    const auto own = at(best->first);
    if (!own) every_thread = false;
    if (own && *own != 0) read_thread_cache(sources, {*own});
    // What looks like one elsewhere may be one: its lists are checked like all others.
    for (const auto& [down, count] : found)
      if (const auto other = at(down); other && other != own && is_cache(*other))
        read_thread_cache(sources, {*other});
  }
  if (!every_thread)
    missed(kLeastChunk, kLargestCached,
           "the list of freed blocks that some thread keeps cannot be read");
}

void FreeLists::read_thread_cache(const Sources& sources, Address at) {
  const auto cache = cache_at(*sources.memory, sources.layout, at);
  if (!cache || at.value < 16) {
    missed(kLeastChunk, kLargestCached,
           "a thread's list of freed blocks cannot be read at " + hex(at));
    return;
  }
  if (is_thread_cache({at.value - 16})) return;
  caches_.push_back({at.value - 16});
  for (std::uint64_t i = 0; i < kCacheBins; ++i) {
    const std::uint64_t first = cache->first[i].value;
    if (first == 0 && cache->count[i] == 0) continue;
    const List list{.first = {first < 16 ? 0 : first - 16},
                    .link = 16,
                    .chunk_bytes = kLeastChunk + i * 16,
                    .most = cache->count[i],
                    .place = Place::thread_cache};
    if (!follow(sources, list))
      missed(list.chunk_bytes, list.chunk_bytes,
             damaged("a thread's list of freed blocks") + " (the one at " + hex(at) + ")");
    else if (sources.layout.key == GlibcLayout::Key::random && !key_)
      if (const auto key = read_unsigned<std::uint64_t>(*sources.memory, {first + 8})) key_ = *key;
  }
}

bool FreeLists::is_thread_cache(Address chunk) const {
  return std::find(caches_.begin(), caches_.end(), chunk) != caches_.end();
}

FreeLists::Answer FreeLists::state_of(const MemoryReader& memory, Address chunk,
                                      std::uint64_t bytes) const {
  if (freed_.contains(chunk)) return Answer::freed;
  if (bytes / 16 >= kSizes || !unknown_[bytes / 16]) return Answer::in_use;
  // Every block in any thread's cache has the same random word.
  if (key_)
    if (const auto word = read_unsigned<std::uint64_t>(memory, {chunk.value + 24}))
      if (*word == *key_) return Answer::freed;
  return Answer::unknown;
}

}  // namespace cgo
