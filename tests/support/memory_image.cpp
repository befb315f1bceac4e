#include "support/memory_image.h"

namespace cgo {

MemoryImage& MemoryImage::bytes(Address at, std::span<const std::byte> data) {
  for (std::byte value : data) {
    bytes_[at] = value;
    ++at.value;
  }
  return *this;
}

MemoryImage& MemoryImage::text(Address at, std::string_view value) {
  return bytes(at, std::as_bytes(std::span(value)));
}

MemoryImage MemoryImage::drop(Address hole) const {
  MemoryImage copy = *this;
  copy.bytes_.erase(hole);
  return copy;
}

std::vector<Address> MemoryImage::addresses() const {
  std::vector<Address> out;
  out.reserve(bytes_.size());
  for (const auto& [address, value] : bytes_) out.push_back(address);
  return out;
}

Result<void> MemoryImage::read(Address from, std::span<std::byte> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Address at{from.value + i};
    const auto found = bytes_.find(at);
    if (found == bytes_.end()) return unreadable(from, out.size(), at);
    out[i] = found->second;
  }
  return {};
}

}  // namespace cgo
