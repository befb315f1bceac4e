#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "target/memory_reader.h"

namespace cgo {

/// Keeps pages of a slow source for as long as the debuggee does not run: make a new one for every
/// stop. Holds at most `limit` bytes of pages, the oldest go first. What the source cannot read is
/// asked for again each time. Safe to use from several threads if the source is.
class CachedReader final : public MemoryReader {
 public:
  static constexpr std::size_t kPageBytes = 4096;

  explicit CachedReader(std::shared_ptr<const MemoryReader> source,
                        std::size_t limit = std::size_t{64} << 20);

  Result<void> read(Address from, std::span<std::byte> out) const override;
  void read_each(std::span<MemoryPiece> pieces) const override { source_->read_each(pieces); }

 private:
  using Page = std::array<std::byte, kPageBytes>;

  /// Pages by number, and the order in which they came. Locked on its own, so that threads that
  /// read different pages seldom wait.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages;
    std::vector<std::uint64_t> ring;
    std::size_t next = 0;  // The oldest entry of a full ring.
  };
  static constexpr std::size_t kShards = 16;

  Shard& shard_of(std::uint64_t page) const { return shards_[page % kShards]; }
  bool copy_cached(std::uint64_t page, std::size_t offset, std::span<std::byte> out) const;
  void keep(std::uint64_t page, std::unique_ptr<Page> contents) const;
  Result<void> read_in_page(Address at, std::span<std::byte> out) const;

  std::shared_ptr<const MemoryReader> source_;
  std::size_t pages_per_shard_;
  mutable std::array<Shard, kShards> shards_;
};

}  // namespace cgo
