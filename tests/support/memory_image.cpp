#include "support/memory_image.h"

namespace cgo {

MemoryImage::Page& MemoryImage::writable_page(std::uint64_t number) {
  std::shared_ptr<Page>& page = pages_[number];
  if (!page)
    page = std::make_shared<Page>();
  else if (page.use_count() > 1)
    page = std::make_shared<Page>(*page);
  return *page;
}

MemoryImage& MemoryImage::bytes(Address at, std::span<const std::byte> data) {
  for (std::byte value : data) {
    Page& page = writable_page(at.value / kPageBytes);
    page.bytes[at.value % kPageBytes] = value;
    page.written.set(at.value % kPageBytes);
    ++at.value;
  }
  return *this;
}

MemoryImage& MemoryImage::text(Address at, std::string_view value) {
  return bytes(at, std::as_bytes(std::span(value)));
}

MemoryImage MemoryImage::drop(Address hole) const {
  MemoryImage copy = *this;
  if (copy.pages_.contains(hole.value / kPageBytes))
    copy.writable_page(hole.value / kPageBytes).written.reset(hole.value % kPageBytes);
  return copy;
}

std::vector<Address> MemoryImage::addresses() const {
  std::vector<Address> out;
  for (const auto& [number, page] : pages_)
    for (std::uint64_t i = 0; i < kPageBytes; ++i)
      if (page->written.test(i)) out.push_back({number * kPageBytes + i});
  return out;
}

Result<void> MemoryImage::read(Address from, std::span<std::byte> out) const {
  const Page* page = nullptr;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Address at{from.value + i};
    const std::uint64_t offset = at.value % kPageBytes;
    if (i == 0 || offset == 0) {
      const auto found = pages_.find(at.value / kPageBytes);
      page = found == pages_.end() ? nullptr : found->second.get();
    }
    if (!page || !page->written.test(offset)) return unreadable(from, out.size(), at);
    out[i] = page->bytes[offset];
  }
  return {};
}

}  // namespace cgo
