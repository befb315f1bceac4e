#pragma once

#include <cstdint>
#include <string>

#include "target/type.h"

namespace cgo {

/// A word within a value, by the value's type.
struct WordPlace {
  std::string path;            ///< ".next", "[3].name", ".m[…]"; empty for the value itself.
  const Type* type = nullptr;  ///< Of the word; of a word of a string, slice or interface, the
                               ///< type of that.
  /// Within a string, slice or interface: 0 for its first word.
  std::uint64_t offset = 0;
  /// Within what the runtime makes of a map or channel, whose fields people do not write: `path`
  /// ends with "[…]" there.
  bool inner = false;
};

/// The word that begins `offset` bytes into a value of `type`; not_found where that is no whole
/// word of it: behind its end, or in a union or number.
Result<WordPlace> word_in(const Type& type, std::uint64_t offset);

/// What lies behind a word that holds a pointer: the type of the value, or of the first of several
/// of one kind. not_found where the type does not say it (unsafe.Pointer, numbers, interfaces).
Result<const Type*> behind_word(const WordPlace& place);

}  // namespace cgo
