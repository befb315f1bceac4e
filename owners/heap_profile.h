#pragma once

#include <optional>
#include <vector>

#include "owners/heap_snapshot.h"
#include "profiles/profile.h"

namespace cgo {

struct HeapProfileOptions {
  /// Stacks are the ways from what holds a block, also where the agent recorded who allocated it.
  bool holders = false;
  bool plumbing = false;  ///< With the frames that only carry a crossing.
  /// Only blocks of these; all of them when empty.
  std::vector<BlockVerdict> verdicts;
};

/// The blocks of C memory by who allocated them, as the agent recorded it; without the agent by
/// what holds them, which the title and the notes say. Labels: go_type, field, verdict, holder.
struct HeapProfile {
  Profile profile;
  bool by_holders = false;
  std::uint64_t not_recorded = 0;  ///< Blocks whose allocation is not known, by stacks.
};
HeapProfile heap_profile(HeapSnapshot& heap, const ImageMap& images,
                         const HeapProfileOptions& options);

}  // namespace cgo
