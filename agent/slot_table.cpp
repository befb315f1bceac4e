#include "agent/slot_table.h"

#include "agent/kernel.h"
#include "agent/tables.h"

namespace cgo::agent {

bool SlotTable::make() {
  if (entries_ != nullptr) return true;
  constexpr std::size_t kBytes = kEntries * sizeof(Entry);
  entries_ = static_cast<Entry*>(private_pages(kBytes));
  if (entries_ == nullptr) return false;
  note_memory(entries_, kBytes);
  return true;
}

/// Its entry, or the free one that it would get.
SlotTable::Entry* SlotTable::find(const std::uint64_t* slot) const {
  const std::uint64_t mixed = reinterpret_cast<std::uint64_t>(slot) * 0x9E3779B97F4A7C15u;
  auto i = static_cast<std::uint32_t>(mixed >> 48);
  while (entries_[i].slot != nullptr && entries_[i].slot != slot) i = (i + 1) % kEntries;
  return &entries_[i];
}

bool SlotTable::put(const std::uint64_t* slot, std::uint64_t value) {
  Entry* entry = find(slot);
  if (entry->slot == nullptr) {
    if (count_ == kMost) return false;
    ++count_;
    entry->slot = slot;
  }
  entry->value = value;
  return true;
}

std::uint64_t SlotTable::value_of(const std::uint64_t* slot) const {
  if (entries_ == nullptr) return 0;
  const Entry* entry = find(slot);
  return entry->slot == slot ? entry->value : 0;
}

}  // namespace cgo::agent
