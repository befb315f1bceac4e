#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "owners/heap_snapshot.h"

namespace cgo {

/// Blocks that the same kind of holder has.
struct OwnerRow {
  HolderKind kind = HolderKind::mapping;
  BlockVerdict verdict = BlockVerdict::held;
  bool held = true;     ///< False: nothing refers to them.
  std::string go_type;  ///< Of Go's holders, where it is known.
  std::string field;
  std::string place;  ///< Of others: "sqlite3_pcache in libsqlite3.so", "thread 7".
  std::uint64_t blocks = 0, bytes = 0, retained_bytes = 0;
};

/// What says more of a block has the lower number: a pointer of Go comes first, what may be
/// nobody's last.
int holder_rank(const BlockHolder& holder);

/// The holder of a block with the lowest rank; null where nothing refers to it.
const BlockHolder* best_holder(const BlockGraph& graph, std::uint32_t block);

/// The row that a holder belongs to, without sums; null is nothing.
OwnerRow owner_row(HeapSnapshot& heap, const BlockHolder* holder);

/// All blocks by what holds them, those with most retained bytes first. A block counts once, for
/// its best holder.
std::vector<OwnerRow> owner_rows(HeapSnapshot& heap);

/// "main.Owner.Blob", "main.single (unsafe.Pointer)", "kept in libx.so", "(nothing)".
std::string row_name(const OwnerRow& row);

/// The steps of a path as one text: "main.cache[3].next".
std::string joined(const std::vector<std::string>& path);

}  // namespace cgo
