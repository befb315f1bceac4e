#include "owners/owner_types.h"

namespace cgo {

OwnerTypes::Key OwnerTypes::key_of(const HeapSnapshot& heap, std::uint32_t block,
                                   const BlockHolder& holder) {
  const AddressRange element = heap.element(holder);
  const AgentBlock* record = heap.record_of(block);
  const std::uint32_t stack = record == nullptr ? 0 : record->stack;
  return {stack, stack == 0 ? heap.blocks()[block].bytes : 0, element.bytes(),
          holder.at.value - element.begin.value};
}

template <class Visit>
void OwnerTypes::each_living_owner(const HeapSnapshot& heap, Visit&& visit) {
  for (std::uint32_t block = 0; block < heap.blocks().size(); ++block)
    for (const BlockHolder& holder : heap.graph().holders(block))
      if (holder.kind == HolderKind::go_object && !holder.inside)
        if (!visit(key_of(heap, block, holder), holder)) return;
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
  const auto known = known_.find(key_of(heap, block, holder));
  return known == known_.end() || known->second.go_type.empty() ? nullptr : &known->second;
}

}  // namespace cgo
