#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "target/byte_view.h"
#include "target/memory_reader.h"
#include "target/type.h"

namespace cgo {

/// How the entries of a map type lie in memory: in buckets of the hash table of 1.19 to 1.23 (and
/// of later releases built without Swiss maps), or in groups of the Swiss table since 1.24. A unit
/// is a bucket or a group; both have eight slots.
struct MapShape {
  enum class Kind : std::uint8_t { buckets, groups };
  static constexpr unsigned kSlots = 8;
  Kind kind = Kind::groups;
  std::uint64_t unit_bytes = 0;
  std::uint64_t control = 0;  ///< Offset of the eight control (or tophash) bytes.
  std::uint64_t keys = 0, key_stride = 0;
  std::uint64_t elements = 0, element_stride = 0;
  std::uint64_t overflow = 0;  ///< Buckets: offset of the pointer to the next one.
  std::uint64_t key_bytes = 0, element_bytes = 0;  ///< Of a key and element, wherever they are.
  bool indirect_key = false, indirect_element = false;  ///< The slot holds a pointer to it.

  std::uint64_t stored_key_bytes() const { return indirect_key ? 8 : key_bytes; }
  std::uint64_t stored_element_bytes() const { return indirect_element ? 8 : element_bytes; }
};

/// The shape that the type of a unit says: what fields it has decides, not the release.
Result<MapShape> map_shape(const Type& unit, const Type& key, const Type& element);

/// An entry. The views hold the bytes where they could be read, and end with the visit.
struct MapEntry {
  Address key, element;
  ByteView key_bytes, element_bytes;
};

/// How a walk through a map ended.
struct MapWalk {
  std::uint64_t count = 0;    ///< What the map says it has.
  std::uint64_t visited = 0;  ///< Entries shown to the visitor.
  bool growing = false;       ///< Part of it still lies in its old buckets.
  bool stopped = false;       ///< The visitor asked for no more.
  /// Why entries are missing: damage or unreadable memory. What was visited is right all the same,
  /// as far as its bytes can tell.
  std::optional<Error> error;
};

/// Goes through the map whose header is at `map` (the word in a map variable); 0 is the nil map.
/// The order is that of memory, which means nothing. Ends when `visit` returns false. Bounded
/// whatever the memory holds.
using MapVisitor = std::function<bool(const MapEntry&)>;
MapWalk walk_map(const MemoryReader& memory, const MapShape& shape, Address map,
                 const MapVisitor& visit);

/// The number of entries of a map, which is its first word in every release; 0 for nil.
Result<std::uint64_t> map_count(const MemoryReader& memory, Address map);

}  // namespace cgo
