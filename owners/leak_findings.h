#pragma once

#include <vector>

#include "owners/finding.h"
#include "owners/heap_snapshot.h"
#include "owners/owner_types.h"

namespace cgo {

/// leak.go-owner-dead: blocks of C memory that dead Go objects alone hold, one finding for each
/// type of owner and stack of allocation; those of most bytes first. Blocks that only such blocks
/// lead to are told with them. At the end of a collection these are the ones that are lost with it.
std::vector<Finding> leaks_of_dead_owners(HeapSnapshot& heap, const OwnerTypes& types);

}  // namespace cgo
