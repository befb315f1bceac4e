#include "agent/block_index.h"

#include "agent/kernel.h"
#include "agent/tables.h"

namespace cgo::agent {

BlockIndex block_index;
std::uint8_t recorded_in_class[kClasses];

void count_in_class(std::uint64_t address, int by) {
  constexpr std::uint8_t kFull = 255;
  std::uint8_t* place = &recorded_in_class[class_of(address)];
  std::uint8_t is = __atomic_load_n(place, __ATOMIC_RELAXED);
  while (is != kFull && !__atomic_compare_exchange_n(place, &is, static_cast<std::uint8_t>(is + by),
                                                     true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

bool make_block_index() {
  constexpr std::uint64_t kBytes = sizeof(void*) << (kAddressBits - kLeafBits);
  auto** leaves = static_cast<std::uint32_t**>(private_pages(kBytes));
  auto** odd = static_cast<std::uint32_t**>(private_pages(kBytes));
  if (leaves == nullptr || odd == nullptr) return false;
  note_memory(leaves, kBytes);
  note_memory(odd, kBytes);
  block_index = {.leaves = leaves, .odd_leaves = odd};
  return true;
}

std::uint32_t* make_index_word(std::uint64_t address) {
  constexpr std::uint64_t kLeafBytes = sizeof(std::uint32_t) << (kLeafBits - kGranuleBits);
  if (auto* word = index_word(address)) return word;
  if (address >> kAddressBits != 0 || block_index.leaves == nullptr) return nullptr;
  std::uint32_t** leaves = (address & 8) == 0 ? block_index.leaves : block_index.odd_leaves;
  auto* fresh = static_cast<std::uint32_t*>(private_pages(kLeafBytes));
  if (fresh == nullptr) return nullptr;
  std::uint32_t* none = nullptr;
  if (!__atomic_compare_exchange_n(&leaves[address >> kLeafBits], &none, fresh, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    release_pages(fresh, kLeafBytes);
  else
    note_memory(fresh, kLeafBytes);
  return index_word(address);
}

}  // namespace cgo::agent
