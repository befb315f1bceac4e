#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace cgo {

/// As many bits as are asked for, all of them 0 at first.
class BitSet {
 public:
  BitSet() = default;
  explicit BitSet(std::uint64_t bits) : words_((bits + 63) / 64) {}

  std::uint64_t size() const { return words_.size() * 64; }
  bool test(std::uint64_t bit) const { return words_[bit / 64] >> bit % 64 & 1; }
  void set(std::uint64_t bit) { words_[bit / 64] |= std::uint64_t{1} << bit % 64; }
  void reset(std::uint64_t bit) { words_[bit / 64] &= ~(std::uint64_t{1} << bit % 64); }
  /// Sets it; false when it was set before.
  bool add(std::uint64_t bit) {
    std::uint64_t& word = words_[bit / 64];
    const std::uint64_t mask = std::uint64_t{1} << bit % 64;
    if ((word & mask) != 0) return false;
    word |= mask;
    return true;
  }
  /// 64 bits at once, the first of them at a multiple of 64.
  std::uint64_t& word(std::uint64_t bit) { return words_[bit / 64]; }
  std::uint64_t word(std::uint64_t bit) const { return words_[bit / 64]; }

  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t word : words_) sum += static_cast<unsigned>(std::popcount(word));
    return sum;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace cgo
