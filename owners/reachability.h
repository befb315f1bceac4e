#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "goruntime/bit_set.h"
#include "owners/go_memory.h"
#include "owners/go_root.h"
#include "owners/object_reader.h"

namespace cgo {

class GoRoots;

/// Which objects of the Go heap are reached, as the garbage collector would find them from here.
/// Floating garbage is not: what a collection under way has marked already counts only while
/// something still holds it. Keeps a few bits and, for paths, four bytes for each element of the
/// heap.
class Reachability {
 public:
  struct Options {
    bool paths = true;
  };

  /// `go` must outlive this.
  static Reachability trace(const GoMemory& go, Options options);
  static Reachability trace(const GoMemory& go) { return trace(go, Options{}); }
  /// What the collection that ends just now found, at the entry of runtime.gcSweep: nothing is
  /// followed, so no ways are known. `go` was read with all marks, and must outlive it.
  static Reachability of_marks(const GoMemory& go);

  bool reached(std::uint64_t object) const { return reached_.test(object); }
  const BitSet& reached() const { return reached_; }
  /// Only by words that may be pointers or not.
  bool guessed(std::uint64_t object) const { return guessed_.test(object); }
  const BitSet& guessed() const { return guessed_; }

  /// False where something could not be read: what was not reached may be reached all the same.
  bool complete() const { return problem_count_ == 0; }
  std::uint64_t problem_count() const { return problem_count_; }
  std::span<const Error> problems() const { return problems_; }

 private:
  friend class Tracer;
  friend class HolderPaths;
  explicit Reachability(const GoMemory& go) : go_(&go) {}

  /// In parents_: the rest is the number of a root.
  static constexpr std::uint32_t kRootFlag = 1u << 31;

  const GoMemory* go_;
  BitSet reached_, guessed_;
  /// Of each object, who reached it first: the number of an object plus one, or a root.
  std::vector<std::uint32_t> parents_;
  std::vector<GoRoot> roots_;
  std::vector<Error> problems_;
  std::uint64_t problem_count_ = 0;
};

}  // namespace cgo
