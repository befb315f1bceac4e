#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "target/address.h"

namespace cgo {

/// Values by address range, for ranges that come from files and may overlap: where two do, the one
/// that begins later wins, and of two that begin together the one that was given later. Look-up is
/// one binary search however hostile the input. Immutable once built.
template <class Value>
class IntervalMap {
 public:
  struct Entry {
    AddressRange range;
    Value value;
  };

  IntervalMap() = default;

  /// Empty ranges are left out.
  explicit IntervalMap(std::vector<Entry> entries) {
    std::erase_if(entries, [](const Entry& entry) { return entry.range.empty(); });
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.range.begin < b.range.begin; });
    pieces_.reserve(entries.size());
    std::vector<const Entry*> open;  // Those that began and may still have something to cover.
    Address covered{0};              // Everything below this is settled.
    for (const Entry& entry : entries) {
      settle(open, covered, entry.range.begin);
      open.push_back(&entry);
    }
    settle(open, covered, Address{~std::uint64_t{0}});
  }

  /// The piece that covers `address`, or null. Lives as long as the map.
  const Entry* find(Address address) const {
    const auto after = std::upper_bound(
        pieces_.begin(), pieces_.end(), address,
        [](Address wanted, const Entry& piece) { return wanted < piece.range.begin; });
    if (after == pieces_.begin()) return nullptr;
    const Entry& piece = *std::prev(after);
    return piece.range.contains(address) ? &piece : nullptr;
  }

  /// The first piece that begins above `address`, or null.
  const Entry* next(Address address) const {
    const auto after = std::upper_bound(
        pieces_.begin(), pieces_.end(), address,
        [](Address wanted, const Entry& piece) { return wanted < piece.range.begin; });
    return after == pieces_.end() ? nullptr : &*after;
  }

  /// Disjoint, by rising address.
  const std::vector<Entry>& pieces() const { return pieces_; }

 private:
  /// Gives [covered, limit) to the innermost ranges that are open there.
  void settle(std::vector<const Entry*>& open, Address& covered, Address limit) {
    while (!open.empty() && covered < limit) {
      const Entry& inner = *open.back();
      const Address begin = std::max(covered, inner.range.begin);
      const Address end = std::min(inner.range.end, limit);
      if (begin < end) {
        pieces_.push_back({{begin, end}, inner.value});
        covered = end;
      }
      if (inner.range.end > limit) return;
      open.pop_back();
    }
  }

  std::vector<Entry> pieces_;
};

}  // namespace cgo
