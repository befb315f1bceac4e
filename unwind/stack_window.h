#pragma once

#include <array>
#include <cstddef>

#include "target/memory_reader.h"

namespace cgo {

/// Reads ahead in the direction a stack walk goes, so that a walk costs one read of a live process
/// instead of two a frame. For one walk of one thread of ours at one stop.
class StackWindow final : public MemoryReader {
 public:
  explicit StackWindow(const MemoryReader& source) : source_(source) {}
  Result<void> read(Address from, std::span<std::byte> out) const override;

 private:
  static constexpr std::size_t kWindow = 1024;
  static constexpr std::size_t kPage = 4096;

  bool fill(Address from, std::size_t bytes) const;

  const MemoryReader& source_;
  mutable std::array<std::byte, kWindow> bytes_{};
  mutable AddressRange have_{};
};

}  // namespace cgo
