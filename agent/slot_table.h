#pragma once
// What was in the slots before they were written to.

#include <cstdint>

namespace cgo::agent {

class SlotTable {
 public:
  /// False when memory is short.
  bool make();
  /// Notes what `slot` held, in place of what was noted before; false when the table is full.
  bool put(const std::uint64_t* slot, std::uint64_t value);
  /// 0: nothing is noted.
  std::uint64_t value_of(const std::uint64_t* slot) const;
  std::uint32_t count() const { return count_; }

 private:
  struct Entry {
    const std::uint64_t* slot;
    std::uint64_t value;
  };
  static constexpr std::uint32_t kEntries = 1u << 16, kMost = kEntries / 4 * 3;
  Entry* find(const std::uint64_t* slot) const;

  Entry* entries_ = nullptr;
  std::uint32_t count_ = 0;
};

}  // namespace cgo::agent
