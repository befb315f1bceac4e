#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace cgo {

// Bounds-checked access to bytes that are already in this process: files and buffers that are not
// trusted. Little-endian, as everything this project reads.

using ByteView = std::span<const std::byte>;

/// `count` bytes from `offset`, or nothing when any of them is outside of `bytes`.
inline std::optional<ByteView> slice(ByteView bytes, std::uint64_t offset, std::uint64_t count) {
  if (offset > bytes.size() || count > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, count);
}

/// A value of a trivially copyable type at `offset`, which need not be aligned.
template <class T>
std::optional<T> load(ByteView bytes, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T> && std::endian::native == std::endian::little);
  const auto part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  T value;
  std::memcpy(&value, part->data(), sizeof value);
  return value;
}

/// Names that templates make have many thousand characters.
inline constexpr std::size_t kLongestCText = 1 << 16;

/// The text from `offset` to the NUL that ends it; nothing when there is none within `limit` bytes.
inline std::optional<std::string_view> c_string(ByteView bytes, std::uint64_t offset,
                                                std::size_t limit = kLongestCText) {
  if (offset >= bytes.size()) return std::nullopt;
  const auto* begin = reinterpret_cast<const char*>(bytes.data()) + offset;
  const void* end = std::memchr(begin, 0, std::min(bytes.size() - offset, limit));
  if (!end) return std::nullopt;
  return std::string_view(begin, static_cast<const char*>(end));
}

}  // namespace cgo
