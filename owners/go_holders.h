#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "owners/block_graph.h"
#include "owners/go_memory.h"
#include "owners/hazard_words.h"
#include "owners/reachability.h"

namespace cgo {

/// How to look for holders.
struct GoHolderOptions {
  std::uint8_t runtime = 0;  ///< The number of the Go runtime.
  unsigned threads = 1;      ///< That read the heap; its memory must allow that.
  /// Whether each word is a pointer for the collector is told; else only where the verdict on a
  /// block may depend on it.
  bool all_pointers = true;
};

/// What was noted of one Go runtime's memory, and what could not be seen of it.
struct GoHolders {
  /// Where words lie that were noted as a variable's of Go: other views of the same memory need not
  /// note them again.
  std::unordered_set<Address> places;
  /// Objects that open calls of C were given: cgo keeps them in place meanwhile.
  std::unordered_set<std::uint64_t> given;
  std::vector<std::string> gaps;
};

/// Notes every word of Go's memory that refers to a block: of objects, of variables of packages, of
/// goroutines' stacks, and of what waits for a finalizer or cleanup. `reach` is of the same stop.
/// An object that nothing reaches counts as dead only where all was read. `hazards` may be null: it
/// is given what lives and refers to freed blocks, or is a number and leads to a dead object.
GoHolders add_go_holders(const GoMemory& go, const Reachability& reach, BlockGraph& graph,
                         HazardWords* hazards, const GoHolderOptions& options);

}  // namespace cgo
