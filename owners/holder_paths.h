#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "owners/object_reader.h"
#include "owners/reachability.h"

namespace cgo {

/// One object on the way from a root: `offset` is where its element has the pointer to the next
/// one, or to what was asked for.
struct Holder {
  std::uint64_t object = 0;
  std::uint64_t offset = 0;
};

/// How an object is held: from a root, through none or some objects.
struct HolderPath {
  GoRoot root;
  std::vector<Holder> holders;  ///< The one at the root first.
  std::uint64_t left_out = 0;   ///< Objects between the root and the first of them.
};

/// The ways that Reachability found. For many questions: it remembers where large objects have
/// their pointers. For one thread; `go` and `reach` must outlive it.
class HolderPaths {
 public:
  HolderPaths(const GoMemory& go, const Reachability& reach)
      : go_(go), reach_(reach), reader_(go) {}

  /// What reached an object first: the word of another one, or a root.
  struct Link {
    std::optional<Holder> holder;
    const GoRoot* root = nullptr;  ///< Where there is no holder; lives as long as the Reachability.
  };
  /// not_found for an object that is not reached, limit_reached where no ways were kept.
  Result<Link> above(std::uint64_t object);
  /// One way to a reached object, with at most `most` holders, the innermost ones.
  Result<HolderPath> to(std::uint64_t object, std::size_t most = 100);

 private:
  /// Of an object with many pointers, where each leads, sorted.
  struct Index {
    std::optional<std::uint64_t> holder;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> offsets;  // By object that is led to.
  };

  Result<std::uint64_t> offset_in(std::uint64_t holder, std::uint64_t object);
  Result<const Index*> index_of(std::uint64_t holder);

  const GoMemory& go_;
  const Reachability& reach_;
  ObjectReader reader_;
  std::array<Index, 4> indexes_;
  std::size_t next_index_ = 0;
};

}  // namespace cgo
