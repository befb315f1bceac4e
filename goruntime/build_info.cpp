#include "goruntime/build_info.h"

#include <algorithm>
#include <string_view>

namespace cgo {
namespace {

using namespace std::string_view_literals;

// Source: src/debug/buildinfo/buildinfo.go: 14 bytes of magic, the pointer size, flags; with flag 2
// (Go 1.18 on) the version follows at byte 32 as a varint length and its text.
constexpr std::string_view kMagic = "\xff Go buildinf:"sv;
constexpr std::size_t kAlignment = 16;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::uint8_t kInlineStrings = 2;
constexpr std::uint64_t kLongestVersion = 1024;

bool starts_with_magic(ByteView bytes) {
  return bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char want, std::byte have) { return static_cast<std::byte>(want) == have; });
}

}  // namespace

std::optional<std::size_t> find_build_info(ByteView data) {
  for (std::size_t at = 0; at + kHeaderBytes <= data.size(); at += kAlignment)
    if (starts_with_magic(data.subspan(at))) return at;
  return std::nullopt;
}

Result<std::string> decode_build_info(ByteView blob) {
  if (blob.size() < kHeaderBytes || !starts_with_magic(blob))
    return Error{ErrorCode::malformed_data, "Go build information without its magic"};
  const auto flags = *load<std::uint8_t>(blob, 15);
  if ((flags & kInlineStrings) == 0)
    return Error{ErrorCode::unsupported, "Go build information as Go 1.17 and older wrote it"};
  std::uint64_t bytes = 0;
  std::size_t at = kHeaderBytes;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = load<std::uint8_t>(blob, at++);
    if (!byte || shift > 14) {
      return Error{ErrorCode::malformed_data, "Go build information: damaged length of version"};
    }
    bytes |= std::uint64_t{*byte & 0x7fu} << shift;
    if ((*byte & 0x80) == 0) break;
  }
  const auto text = slice(blob, at, bytes);
  if (!text || bytes > kLongestVersion)
    return Error{ErrorCode::malformed_data, "Go build information: version is cut"};
  return std::string(reinterpret_cast<const char*>(text->data()), text->size());
}

}  // namespace cgo
