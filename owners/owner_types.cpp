#include "owners/owner_types.h"

namespace cgo {

std::optional<OwnerTypes::Key> OwnerTypes::key_of(const HeapSnapshot& heap, std::uint32_t block,
                                                  const BlockHolder& holder) const {
  const AgentBlock* record = heap.record_of(block);
  if (record == nullptr || record->stack == 0) return std::nullopt;
  const auto [known, fresh] = tells_.try_emplace(record->stack, false);
  if (fresh) {
    const auto stack = heap.records()->stack(record->stack);
    const Frame* site = stack ? site_of(*stack) : nullptr;
    known->second = site != nullptr && site->language == Language::go;
  }
  if (!known->second) return std::nullopt;
  const AddressRange element = heap.element(holder);
  return Key{record->stack, element.bytes(), holder.at.value - element.begin.value};
}

template <class Visit>
void OwnerTypes::each_living_owner(const HeapSnapshot& heap, Visit&& visit) const {
  for (std::uint32_t block = 0; block < heap.blocks().size(); ++block)
    for (const BlockHolder& holder : heap.graph().holders(block)) {
      if (holder.kind != HolderKind::go_object || holder.inside) continue;
      const auto key = key_of(heap, block, holder);
      if (key && !visit(*key, holder)) return;
    }
}

void OwnerTypes::learn(HeapSnapshot& heap) {
  each_living_owner(heap, [&](const Key& key, const BlockHolder& holder) {
    const TypedWord word = heap.typed_place(holder);
    const auto [known, fresh] = known_.try_emplace(key, Owner{word.go_type, word.field});
    if (!fresh && (known->second.go_type != word.go_type || known->second.field != word.field))
      known->second = {};
    return true;
  });
}

bool OwnerTypes::knows_all(const HeapSnapshot& heap) const {
  bool all = true;
  each_living_owner(heap, [&](const Key& key, const BlockHolder&) {
    all = known_.contains(key);
    return all;
  });
  return all;
}

const OwnerTypes::Owner* OwnerTypes::find(const HeapSnapshot& heap, std::uint32_t block,
                                          const BlockHolder& holder) const {
  const auto key = key_of(heap, block, holder);
  const auto known = key ? known_.find(*key) : known_.end();
  return known == known_.end() || known->second.go_type.empty() ? nullptr : &known->second;
}

}  // namespace cgo
