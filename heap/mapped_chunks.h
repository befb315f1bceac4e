#pragma once

#include <functional>
#include <optional>

#include "target/memory_reader.h"

namespace cgo {

/// A block that malloc got from the system by itself.
struct MappedChunk {
  AddressRange range;  ///< Whole pages.
  AddressRange block;  ///< What malloc gave out.
};

/// The block of this kind that holds `address` in `mapping`, an anonymous one or what of it lies
/// behind a heap. Such blocks
/// have no list: one is believed where the mapping consists of them from its beginning, or from the
/// block to its end, as the system puts mappings of one kind together. Nothing otherwise.
std::optional<MappedChunk> mapped_chunk_at(const MemoryReader& memory, AddressRange mapping,
                                           Address address);

/// Every such block of `range`, where it belongs to a run of them that begins with the range or
/// ends with it; by rising address.
void for_each_mapped_chunk(const MemoryReader& memory, AddressRange range,
                           const std::function<void(const MappedChunk&)>& visit);

/// The first address of `range` that is in none of the blocks of this kind at its beginning.
Address behind_mapped_chunks(const MemoryReader& memory, AddressRange range);

}  // namespace cgo
