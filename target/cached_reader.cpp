#include "target/cached_reader.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

/// Reads of this size cost the source no more than their bytes; kept, they would only push out what
/// small reads come back to.
constexpr std::size_t kTooLargeToKeep = 16 * CachedReader::kPageBytes;

}  // namespace

CachedReader::CachedReader(std::shared_ptr<const MemoryReader> source, std::size_t limit)
    : source_(std::move(source)),
      pages_per_shard_(std::max<std::size_t>(1, limit / kPageBytes / kShards)) {}

Result<void> CachedReader::read(Address from, std::span<std::byte> out) const {
  if (out.size() >= kTooLargeToKeep) return source_->read(from, out);
  std::size_t done = 0;
  while (done < out.size()) {
    const auto at = checked_add(from, done);
    if (!at) return unreadable(from, out.size(), Address{~std::uint64_t{0}});
    const std::size_t count =
        std::min(kPageBytes - static_cast<std::size_t>(at->value % kPageBytes), out.size() - done);
    auto part = read_in_page(*at, out.subspan(done, count));
    // In the words of the whole request: the source knows only a part of it.
    if (!part) {
      if (!part.error().address) return std::move(part).error();
      return unreadable(from, out.size(), *part.error().address);
    }
    done += count;
  }
  return {};
}

Result<void> CachedReader::read_in_page(Address at, std::span<std::byte> out) const {
  const std::uint64_t page = at.value / kPageBytes;
  const std::size_t offset = at.value % kPageBytes;
  if (copy_cached(page, offset, out)) return {};
  // Not under the lock: the source is slow. Two threads may fetch the same page; both are right.
  auto contents = std::make_unique_for_overwrite<Page>();
  const auto whole = source_->read({page * kPageBytes}, *contents);
  // A page with a hole (where an image's file ends) is not kept.
  if (!whole) return source_->read(at, out);
  std::memcpy(out.data(), contents->data() + offset, out.size());
  keep(page, std::move(contents));
  return {};
}

bool CachedReader::copy_cached(std::uint64_t page, std::size_t offset,
                               std::span<std::byte> out) const {
  Shard& shard = shard_of(page);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.pages.find(page);
  if (found == shard.pages.end()) return false;
  std::memcpy(out.data(), found->second->data() + offset, out.size());
  return true;
}

void CachedReader::keep(std::uint64_t page, std::unique_ptr<Page> contents) const {
  Shard& shard = shard_of(page);
  const std::lock_guard lock(shard.mutex);
  if (!shard.pages.try_emplace(page, std::move(contents)).second) return;
  if (shard.ring.size() < pages_per_shard_) {
    shard.ring.push_back(page);
    return;
  }
  shard.pages.erase(shard.ring[shard.next]);
  shard.ring[shard.next] = page;
  shard.next = (shard.next + 1) % pages_per_shard_;
}

}  // namespace cgo
