#pragma once

#include <vector>

#include "target/byte_view.h"
#include "target/memory_reader.h"

namespace cgo {

/// A copy of a range of code. What could not be read is left out of it, never replaced.
class CodeBytes {
 public:
  /// Reads all of `range` that can be read.
  static CodeBytes read(const MemoryReader& memory, AddressRange range);

  struct Piece {
    Address begin;
    std::vector<std::byte> bytes;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }
  /// Bytes of the range that could not be read.
  std::uint64_t missing() const { return missing_; }
  /// The bytes of `range`; empty when any of them is missing.
  ByteView at(AddressRange range) const;

 private:
  std::vector<Piece> pieces_;  // By address, not touching each other.
  std::uint64_t missing_ = 0;
};

/// Up to `most` bytes of code from `from` on, for a function that is short and whose end is not
/// known: fewer where the memory ends before, 16 at least.
Result<std::vector<std::byte>> read_short_code(const MemoryReader& memory, Address from,
                                               std::uint64_t most);

/// The word that the code at `target` jumps by, for an entry of a procedure linkage table; else 0.
Address word_of_plt(const MemoryReader& memory, Address target);

}  // namespace cgo
