#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "target/image.h"
#include "target/memory_reader.h"

namespace cgo {

/// The C library's locale that a thread works with.
struct CLocale {
  static constexpr std::size_t kCategories = 13;
  Address at;                                  ///< The locale object.
  std::array<std::string, kCategories> names;  ///< By category, LC_CTYPE first; LC_ALL has none.
};

/// Where a thread keeps its locale, from its thread pointer: read from the code of uselocale, as
/// glibc has no symbol for it. Source: glibc locale/uselocale.c as gcc compiles it. not_found where
/// the C library is not known or does it in another way.
Result<std::int64_t> locale_offset(const MemoryReader& memory, const ImageMap& images);

/// The locale whose pointer is at `pointer`. Source: glibc struct __locale_struct (bits/types).
Result<CLocale> read_c_locale(const MemoryReader& memory, Address pointer);

/// What differs, a sentence each: "the locale changed: LC_NUMERIC C before, de_DE.UTF-8 now".
std::vector<std::string> locale_changes(const CLocale& before, const CLocale& now);

}  // namespace cgo
