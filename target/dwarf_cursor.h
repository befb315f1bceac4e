#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "target/byte_view.h"

namespace cgo {

/// Reads DWARF's encodings one after another from bytes that are not trusted. A read past the end
/// gives zero and makes the cursor fail for good, so ok() is checked once per record, not per
/// field.
class DwarfCursor {
 public:
  DwarfCursor() = default;
  explicit DwarfCursor(ByteView bytes, std::uint64_t at = 0) : bytes_(bytes), at_(at) {
    if (at > bytes.size()) fail();
  }

  bool ok() const { return ok_; }
  std::uint64_t position() const { return at_; }
  bool at_end() const { return !ok_ || at_ == bytes_.size(); }
  void fail() {
    ok_ = false;
    at_ = bytes_.size();
  }

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::uint32_t u24() {
    const std::uint32_t low = u16();
    return low | static_cast<std::uint32_t>(u8()) << 16;
  }
  /// An integer of 1, 2, 4 or 8 bytes; any other size fails.
  std::uint64_t sized(unsigned bytes) {
    switch (bytes) {
      case 1:
        return u8();
      case 2:
        return u16();
      case 4:
        return u32();
      case 8:
        return u64();
      default:
        fail();
        return 0;
    }
  }
  /// An offset or length: 4 bytes in 32-bit DWARF, 8 in 64-bit DWARF.
  std::uint64_t offset(bool dwarf64) { return dwarf64 ? u64() : u32(); }

  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = u8();
      const std::uint64_t bits = byte & 0x7f;
      if (shift < 64) value |= bits << shift;
      if ((shift >= 64 && bits != 0) || (shift == 63 && bits > 1)) fail();
      if (!(byte & 0x80) || !ok_) return ok_ ? value : 0;
    }
  }
  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = u8();
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte & 0x80 && ok_) continue;
      if (byte & 0x40 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return ok_ ? static_cast<std::int64_t>(value) : 0;
    }
  }

  std::string_view text() {
    const auto found = c_string(bytes_, at_);
    if (!found) {
      fail();
      return {};
    }
    at_ += found->size() + 1;
    return *found;
  }
  ByteView block(std::uint64_t bytes) {
    const auto found = slice(bytes_, at_, bytes);
    if (!found) {
      fail();
      return {};
    }
    at_ += bytes;
    return *found;
  }
  void skip(std::uint64_t bytes) { block(bytes); }

 private:
  template <class Integer>
  Integer fixed() {
    if (bytes_.size() - at_ < sizeof(Integer)) {
      fail();
      return 0;
    }
    Integer value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  ByteView bytes_;
  std::uint64_t at_ = 0;  // Never above bytes_.size().
  bool ok_ = true;
};

}  // namespace cgo
