#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "target/memory_reader.h"

namespace cgo {

/// Memory built by hand, byte by byte; what was not written is unreadable. Copies share their pages
/// until one of them is written to, so that a sweep of missing bytes costs little.
class MemoryImage final : public MemoryReader {
 public:
  MemoryImage& bytes(Address at, std::span<const std::byte> data);
  MemoryImage& u8(Address at, std::uint8_t value) { return integer(at, value); }
  MemoryImage& u32(Address at, std::uint32_t value) { return integer(at, value); }
  MemoryImage& u64(Address at, std::uint64_t value) { return integer(at, value); }
  MemoryImage& pointer(Address at, Address value) { return integer(at, value.value); }
  MemoryImage& text(Address at, std::string_view value);  ///< Without a NUL.

  /// The same memory without one byte: for sweeps of missing bytes.
  MemoryImage drop(Address hole) const;
  /// Every byte that was written, in order.
  std::vector<Address> addresses() const;

  Result<void> read(Address from, std::span<std::byte> out) const override;

 private:
  static constexpr std::uint64_t kPageBytes = 4096;
  struct Page {
    std::array<std::byte, kPageBytes> bytes{};
    std::bitset<kPageBytes> written;
  };

  template <class Integer>
  MemoryImage& integer(Address at, Integer value) {
    return bytes(at, std::as_bytes(std::span(&value, 1)));
  }
  /// The page with this number, ours alone.
  Page& writable_page(std::uint64_t number);

  std::map<std::uint64_t, std::shared_ptr<Page>> pages_;
};

}  // namespace cgo
