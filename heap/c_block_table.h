#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "target/address.h"

namespace cgo {

/// Blocks of memory by address, for very many of them: sixteen bytes a block and four for each
/// page between the first and the last of a stretch. Blocks are known by their number, which rises
/// with the address.
class CBlockTable {
 public:
  struct Block {
    Address begin;
    std::uint64_t bytes = 0;

    AddressRange range() const { return {begin, {begin.value + bytes}}; }
  };

  CBlockTable() = default;
  /// Empty blocks, and those that reach over another one that begins before them, are left out.
  explicit CBlockTable(std::vector<Block> blocks);

  std::size_t size() const { return blocks_.size(); }
  const Block& operator[](std::size_t number) const { return blocks_[number]; }
  std::span<const Block> all() const { return blocks_; }
  std::uint64_t bytes() const { return bytes_; }
  /// Ranges that hold all blocks, and nothing for long stretches: few.
  std::vector<AddressRange> stretches() const;
  std::uint64_t left_out() const { return left_out_; }

  /// The block that holds `address`; costs little for addresses that none does.
  std::optional<std::uint32_t> find(Address address) const {
    if (address.value - lowest_ >= extent_) return std::nullopt;
    return find_near(address);
  }

 private:
  /// Pages that lie near each other: for each the first block that ends behind its begin.
  struct Stretch {
    std::uint64_t first_page = 0;
    std::vector<std::uint32_t> blocks;
  };
  static constexpr std::uint64_t kPage = 4096;

  void index();
  std::optional<std::uint32_t> find_near(Address address) const;

  std::vector<Block> blocks_;
  std::vector<Stretch> stretches_;
  std::uint64_t lowest_ = 0, extent_ = 0;
  std::uint64_t bytes_ = 0, left_out_ = 0;
};

}  // namespace cgo
