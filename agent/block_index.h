#pragma once
// From the address of a block to the number of its record. Between malloc and free a block belongs
// to the program, and so does its word here: it needs no atomic operation beyond those that publish
// a leaf. Not read from outside: the records have the addresses.

#include <cstdint>

namespace cgo::agent {

inline constexpr unsigned kGranuleBits = 4;  // Blocks are this aligned, nearly always.
inline constexpr unsigned kLeafBits = 26;    // Bytes of the heap under one leaf.
inline constexpr unsigned kAddressBits = 47;

struct BlockIndex {
  std::uint32_t** leaves;      ///< For addresses that are multiples of 16.
  std::uint32_t** odd_leaves;  ///< For the others: jemalloc aligns 8 bytes to 8.
};
extern BlockIndex block_index;

/// When few blocks are recorded: how many are in each class of addresses, so that most frees need
/// no look at the index. 255 stays.
inline constexpr unsigned kClasses = 4096;
extern std::uint8_t recorded_in_class[kClasses];
inline unsigned class_of(std::uint64_t address) {
  return static_cast<unsigned>((address * 0x9E3779B97F4A7C15u) >> 52);
}
void count_in_class(std::uint64_t address, int by);

bool make_block_index();
/// The word of `address`, or null when its leaf cannot be made.
std::uint32_t* make_index_word(std::uint64_t address);

/// The word of `address`, or null when nothing near it was ever recorded.
inline std::uint32_t* index_word(std::uint64_t address) {
  if (address >> kAddressBits != 0) return nullptr;
  std::uint32_t** leaves = (address & 8) == 0 ? block_index.leaves : block_index.odd_leaves;
  if (leaves == nullptr) return nullptr;
  std::uint32_t* leaf = __atomic_load_n(&leaves[address >> kLeafBits], __ATOMIC_ACQUIRE);
  if (leaf == nullptr) return nullptr;
  return leaf + ((address & ((std::uint64_t{1} << kLeafBits) - 1)) >> kGranuleBits);
}

}  // namespace cgo::agent
