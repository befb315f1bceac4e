#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "goruntime/go_version.h"
#include "target/memory_reader.h"

namespace cgo {

/// Which words of a value of one type are pointers.
struct TypeMask {
  std::uint64_t bytes = 0;           ///< Of a value: elements of an array follow at this distance.
  std::uint64_t pointer_bytes = 0;   ///< No pointer lies behind.
  std::vector<std::uint64_t> words;  ///< A bit for each word up to there.

  bool pointer(std::uint64_t word) const { return words[word / 64] >> word % 64 & 1; }
};

/// Reads and remembers the masks of types, in the three forms that descriptors have them: plain
/// bits, a program that makes them (up to 1.23), and bits made when first wanted (since 1.24),
/// which are put together from the type's parts where the runtime has not wanted them yet.
/// Source: src/internal/abi/type.go, TFlagGCMaskOnDemand and KindGCProg; src/runtime/mbitmap.go,
/// runGCProg; src/runtime/type.go, getGCMaskOnDemand.
class TypeMasks {
 public:
  TypeMasks(const MemoryReader& memory, GoVersion version) : memory_(memory), version_(version) {}

  /// `most_bytes`: a value that is larger cannot be what the type was found at; malformed_data.
  /// The mask lives as long as this.
  Result<const TypeMask*> at(Address type, std::uint64_t most_bytes);
  /// `pointer_bytes` of a mask from `data`, which is plain or the program that makes it.
  Result<TypeMask> read(Address data, std::uint64_t pointer_bytes, bool is_program) const;

 private:
  Result<TypeMask> make(Address type, std::uint64_t most_bytes, unsigned depth);
  Result<void> put_parts_together(Address type, TypeMask& mask, unsigned depth);

  const MemoryReader& memory_;
  GoVersion version_;
  unsigned parts_left_ = 0;
  std::unordered_map<Address, std::unique_ptr<const TypeMask>> known_;
};

}  // namespace cgo
