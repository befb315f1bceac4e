#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "target/address.h"

namespace cgo {

/// Which frames of a deep stack repeat, counted over all that were walked, also those that a limit
/// left out.
struct Recursion {
  std::size_t frames = 0;  ///< Walked in all.
  /// The longest run of frames that repeat in a fixed order: its first, counted from the innermost
  /// as 0, how many make one round, and how many whole rounds there are. 0 rounds when none do.
  std::size_t first = 0, period = 0, rounds = 0;
  /// How often each pc occurs in a deep stack, for recursions in no fixed order: behind the first
  /// kCountedFrom frames, and of the first pcs that were met there.
  std::unordered_map<Address, std::size_t> by_pc;
};

/// Finds what repeats while a stack is walked, in bounded memory.
class RecursionMeter {
 public:
  static constexpr std::size_t kLongestPeriod = 24, kFewestRounds = 8, kMostPcs = 1024;
  static constexpr std::size_t kCountedFrom = 256;  ///< Most stacks are shorter.

  /// The next frame outward.
  void add(Address pc);
  /// Frames that another walk found behind those of this one. A run does not go on from one to the
  /// other.
  void append(const RecursionMeter& other);

  const Recursion& found() const { return found_; }

 private:
  void keep_if_longest(std::size_t period);
  void count(Address pc, std::size_t times);

  Recursion found_;
  std::array<Address, kLongestPeriod> last_{};              // Ring, by frame number.
  std::array<std::size_t, kLongestPeriod + 1> matching_{};  // Frames in a row, by period.
  std::size_t longest_ = 0;  // Frames of the longest run, with those of a round that is not whole.
  std::size_t begin_ = 0;    // Frames before it are of another walk.
};

}  // namespace cgo
