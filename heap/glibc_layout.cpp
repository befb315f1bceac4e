#include "heap/glibc_layout.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "target/byte_view.h"

namespace cgo {
namespace {

using Key = GlibcLayout::Key;

struct Row {
  GlibcVersion first, last;
  GlibcLayout layout;
};

// Source: glibc malloc/malloc.c (tcache_entry, tcache_perthread_struct, PROTECT_PTR) and
// malloc/arena.c (heap_info). Since 2.42 a thread's cache has other bins.
constexpr std::array kRows = {
    Row{{2, 27}, {2, 28}, {32, 1, false, Key::none}},
    Row{{2, 29}, {2, 29}, {32, 1, false, Key::cache_address}},
    Row{{2, 30}, {2, 31}, {32, 2, false, Key::cache_address}},
    Row{{2, 32}, {2, 33}, {32, 2, true, Key::cache_address}},
    Row{{2, 34}, {2, 34}, {32, 2, true, Key::random}},
    Row{{2, 35}, {2, 41}, {48, 2, true, Key::random}},
};

/// "2.36" at the beginning of `text`.
std::optional<GlibcVersion> version_in(std::string_view text) {
  GlibcVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, no_major] = std::from_chars(text.data(), end, version.major);
  if (no_major != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [stop, no_minor] = std::from_chars(dot + 1, end, version.minor);
  if (no_minor != std::errc{}) return std::nullopt;
  return version;
}

}  // namespace

std::optional<GlibcVersion> glibc_version_of(const ElfFile& file) {
  constexpr std::string_view kBanner = "GNU C Library (", kRelease = " release version ";
  const ByteView bytes = file.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t banner = text.find(kBanner);
  if (banner == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(banner, 300);
  const std::size_t release = line.find(kRelease);
  if (release == std::string_view::npos) return std::nullopt;
  return version_in(line.substr(release + kRelease.size()));
}

std::optional<GlibcLayout> glibc_layout_for(GlibcVersion version) {
  for (const Row& row : kRows)
    if (row.first <= version && version <= row.last) return row.layout;
  return std::nullopt;
}

}  // namespace cgo
