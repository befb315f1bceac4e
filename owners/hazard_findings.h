#pragma once

#include <vector>

#include "owners/finding.h"
#include "owners/heap_snapshot.h"

namespace cgo {

// What a snapshot with hazards shows to be wrong, or only lucky. One finding for each kind of place
// and stack of allocation.

/// gc-visibility.c-holds-go and gc-visibility.uintptr: objects of Go that memory of C leads to and
/// Go's collector does not know of, the dead ones first. Words of C's stacks and registers are
/// passed by: a call that is open may have them.
std::vector<Finding> hidden_objects(HeapSnapshot& heap);

/// dangling.go-holds-freed: pointers in living objects and variables of Go to blocks that were
/// freed. dangling.finalizer-in-use: those that a call of C was given which is open, while a
/// finalizer or cleanup freed the block; known where the agent recorded who freed.
std::vector<Finding> dangling_pointers(HeapSnapshot& heap);

}  // namespace cgo
