#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "owners/heap_snapshot.h"
#include "owners/owner_rows.h"

namespace cgo {

/// Of all blocks: how many there are of each verdict, in the order of BlockVerdict.
struct VerdictTotals {
  std::uint64_t blocks[4] = {}, bytes[4] = {};
};
VerdictTotals verdict_totals(const HeapSnapshot& heap);

/// "main.cache[3].next.blob", "thread 7", "C block of 24 bytes at 0x…".
std::string format_holder(HeapSnapshot& heap, const BlockHolder& holder);

std::string owners_text(HeapSnapshot& heap, const std::vector<OwnerRow>& rows, std::size_t limit);
/// The blocks in the given order, each with its holders.
std::string blocks_text(HeapSnapshot& heap, const std::vector<std::uint32_t>& blocks,
                        std::size_t limit);
/// Blocks that were allocated by equal stacks, or, where nothing was recorded, have one size; with
/// one verdict. Those with most bytes first.
struct BlockGroup {
  BlockVerdict verdict = BlockVerdict::held;
  std::uint32_t stack = 0;  ///< 0: not recorded.
  std::uint64_t size = 0;   ///< Of each, where no stack tells them apart.
  std::uint64_t blocks = 0, bytes = 0;
};
std::vector<BlockGroup> block_groups(const HeapSnapshot& heap,
                                     const std::vector<std::uint32_t>& blocks);
std::string groups_text(const HeapSnapshot& heap, const std::vector<BlockGroup>& groups,
                        std::size_t limit);
/// `"groups":[…],"shown":N,"matching":M`.
std::string groups_json(const HeapSnapshot& heap, const std::vector<BlockGroup>& groups,
                        std::size_t limit);

/// `"blocks":[…],"shown":N` and the keys of one block, as in lldb-cgo/heap/1.
std::string blocks_json(HeapSnapshot& heap, const std::vector<std::uint32_t>& blocks,
                        std::size_t limit);
/// `"totals":{…}` of lldb-cgo/heap/1.
std::string totals_json(const HeapSnapshot& heap, const std::vector<OwnerRow>& rows);
/// "5 blocks of C memory, 120 bytes, are live; …": one line.
std::string totals_text(const HeapSnapshot& heap);

}  // namespace cgo
