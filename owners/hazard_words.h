#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "heap/c_block_table.h"
#include "owners/block_graph.h"

namespace cgo {

/// Words that one side has and the other side does not know of: noted while all memory of a stop is
/// looked through, and judged later.
class HazardWords {
 public:
  /// A word that refers to a block that was freed.
  struct OfFreed {
    std::uint32_t block = 0;  ///< In freed().
    BlockHolder holder;
    /// Of a pointer that a call of C was given which is open: cgo's function for it. Lives as long
    /// as what the runtime's functions are read from.
    std::string_view call;
  };
  /// A word that is no pointer for Go's collector and leads to an object of Go.
  struct OfObject {
    BlockHolder holder;  ///< Where the word is: in C's memory, or a number in Go's.
    std::uint8_t runtime = 0;
    std::uint64_t object = 0;
    Address value;
  };
  /// More than these are not kept: there is something wrong with the program, or with the reading.
  static constexpr std::size_t kMostWords = 1u << 20;

  HazardWords() = default;
  explicit HazardWords(CBlockTable freed) : freed_(std::move(freed)) {}

  const CBlockTable& freed() const { return freed_; }
  /// False where the value leads to no freed block.
  bool note_freed(BlockHolder holder, std::uint64_t value, std::string_view call = {});
  void note_object(const OfObject& word);

  bool empty() const { return of_freed_.empty() && of_objects_.empty(); }
  std::span<const OfFreed> of_freed() const { return of_freed_; }
  std::span<const OfObject> of_objects() const { return of_objects_; }
  std::uint64_t left_out() const { return left_out_; }

 private:
  CBlockTable freed_;
  std::vector<OfFreed> of_freed_;
  std::vector<OfObject> of_objects_;
  std::uint64_t left_out_ = 0;
};

}  // namespace cgo
