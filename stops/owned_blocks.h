#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "target/address.h"
#include "target/memory_reader.h"

namespace cgo {

/// Some frames and all that stays when they are gone.
struct BlockQuestion {
  const MemoryReader* memory = nullptr;
  /// The block in use that holds an address.
  std::function<std::optional<AddressRange>(Address)> block_at;
  /// Whether what lies at an address is no longer in use.
  std::function<bool(Address)> freed_at;
  std::vector<AddressRange> frames;         ///< Memory of the frames.
  std::vector<std::uint64_t> frame_values;  ///< What they have in registers.
  std::vector<AddressRange> rest;           ///< Memory that stays; may hold the blocks.
  std::vector<std::uint64_t> rest_values;   ///< Registers that stay.
  std::uint64_t most_bytes = 256u << 20;    ///< Of `rest` that are searched.
  std::size_t most_blocks = 10'000;
};

/// Blocks that are lost with the frames.
struct OwnedBlocks {
  struct Block {
    AddressRange range;
    bool direct = false;  ///< A frame points to it; else another such block does.
  };
  std::vector<Block> owned;  ///< By address.
  std::size_t held = 0;      ///< Others that the frames lead to, which something else points to.
  std::uint64_t unread_bytes = 0;
  bool cut = false;  ///< Not all memory was searched, or not all blocks: `owned` is empty.
};

/// The blocks that the frames lead to, by pointers to or into them, and nothing that stays does.
/// What looks like a pointer counts as one.
OwnedBlocks owned_blocks(const BlockQuestion& question);

}  // namespace cgo
