#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "target/elf.h"

namespace cgo {

/// A release of the GNU C library.
struct GlibcVersion {
  std::uint16_t major = 0, minor = 0;
  friend auto operator<=>(GlibcVersion, GlibcVersion) = default;
};

/// The release that the file says it is; nothing for any other file.
std::optional<GlibcVersion> glibc_version_of(const ElfFile& file);

/// What differs between releases in how malloc's structures lie on 64-bit machines. The rest of
/// struct malloc_state is the same in all of them: see arena.cpp.
struct GlibcLayout {
  std::uint64_t heap_info_bytes = 0;  ///< With the padding behind it.
  std::uint64_t count_bytes = 0;      ///< Of one count in a thread's cache.
  bool mangled_links = false;         ///< Links are XORed with their address >> 12.
  /// What the second word of a block in a thread's cache is.
  enum class Key : std::uint8_t { none, cache_address, random } key = Key::none;
};

/// Nothing for a release whose layout is not known.
std::optional<GlibcLayout> glibc_layout_for(GlibcVersion version);

}  // namespace cgo
