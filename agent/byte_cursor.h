#pragma once
// Reads numbers one behind another, and none past the end.

#include <cstdint>
#include <cstring>

namespace cgo::agent {

class ByteCursor {
 public:
  ByteCursor(const std::uint8_t* at, const std::uint8_t* end) : at_(at), end_(end) {}

  const std::uint8_t* at() const { return at_; }
  bool ok() const { return ok_; }
  bool more() const { return ok_ && at_ < end_; }
  std::uint64_t left() const { return static_cast<std::uint64_t>(end_ - at_); }

  template <class Number>
  Number fixed() {
    Number value{};
    if (!has(sizeof(value))) return value;
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }

  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = fixed<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }

  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
      const auto byte = fixed<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(value);
    }
    ok_ = false;
    return 0;
  }

  /// The next `bytes`, passed over; null when there are fewer.
  const std::uint8_t* take(std::uint64_t bytes) {
    if (!has(bytes)) return nullptr;
    const std::uint8_t* from = at_;
    at_ += bytes;
    return from;
  }

 private:
  bool has(std::uint64_t bytes) {
    ok_ = ok_ && bytes <= left();
    return ok_;
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace cgo::agent
