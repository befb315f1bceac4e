#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "owners/heap_snapshot.h"

namespace cgo {

/// Of which types the Go objects are that hold blocks, learned while they live: a small object that
/// is dead carries no type. Blocks that one stack allocated, and that objects of one size hold at
/// one offset, have owners of one type; where two types were seen none is told.
class OwnerTypes {
 public:
  struct Owner {
    std::string go_type, field;
  };

  /// From a snapshot whose living objects were traced.
  void learn(HeapSnapshot& heap);
  /// Whether all living owners of `heap` that could be learned are known.
  bool knows_all(const HeapSnapshot& heap) const;
  /// Null where nothing, or more than one type, is known.
  const Owner* find(const HeapSnapshot& heap, std::uint32_t block, const BlockHolder& holder) const;

 private:
  /// The stack, the element's size, the offset.
  using Key = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>;
  /// Nothing where no stack was recorded, or one without a function of the program's Go code.
  std::optional<Key> key_of(const HeapSnapshot& heap, std::uint32_t block,
                            const BlockHolder& holder) const;
  template <class Visit>
  void each_living_owner(const HeapSnapshot& heap, Visit&& visit) const;

  std::map<Key, Owner> known_;                   // An empty type: more than one.
  mutable std::map<std::uint32_t, bool> tells_;  // Of each stack, whether it has Go code.
};

}  // namespace cgo
