#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "target/memory_reader.h"

namespace cgo {

/// Reads small pieces that lie near each other by few large reads of their surroundings. What
/// surrounds them need not be readable. For one thread.
class BlockReader {
 public:
  explicit BlockReader(const MemoryReader& memory) : memory_(memory) {}

  Result<void> read(Address from, std::span<std::byte> out) {
    const std::uint64_t number = from.value / kBlockBytes, offset = from.value % kBlockBytes;
    if (offset + out.size() > kBlockBytes) return memory_.read(from, out);
    Block& block = blocks_[number % kBlocks];
    if (block.number != number) load(block, number);
    if (!block.readable) return memory_.read(from, out);
    std::memcpy(out.data(), block.bytes.data() + offset, out.size());
    return {};
  }

 private:
  static constexpr std::uint64_t kBlockBytes = 64 * 1024, kBlocks = 64;
  struct Block {
    std::uint64_t number = ~std::uint64_t{0};
    bool readable = false;
    std::vector<std::byte> bytes;
  };

  void load(Block& block, std::uint64_t number) {
    block.number = number;
    block.bytes.resize(kBlockBytes);
    block.readable = memory_.read({number * kBlockBytes}, block.bytes).has_value();
  }

  const MemoryReader& memory_;
  std::array<Block, kBlocks> blocks_;
};

}  // namespace cgo
