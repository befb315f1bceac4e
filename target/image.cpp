#include "target/image.h"

#include <algorithm>
#include <cstring>

#include "target/byte_view.h"

namespace cgo {
namespace {

/// Whether the file may speak for what the debuggee has in memory.
bool trusted(const Image& image) { return image.file && !image.mismatch; }

/// The load addresses of a segment; empty when they wrap.
AddressRange load_range(const Image& image, const ElfSegment& segment) {
  const Address begin = image.to_load(segment.file_address);
  const auto end = checked_add(begin, segment.memory_bytes);
  return end ? AddressRange{begin, *end} : AddressRange{};
}

class ImageFileReader final : public MemoryReader {
 public:
  explicit ImageFileReader(std::shared_ptr<const ImageMap> images) : images_(std::move(images)) {
    std::vector<IntervalMap<Contents>::Entry> pieces;
    for (const Image& image : images_->all()) {
      if (!trusted(image)) continue;
      for (const ElfSegment& segment : image.file->segments())
        if (segment.loaded() && !segment.writable()) add(image, segment, pieces);
    }
    pieces_ = IntervalMap<Contents>(std::move(pieces));
  }

  Result<void> read(Address from, std::span<std::byte> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto at = checked_add(from, done);
      if (!at) return unreadable(from, out.size(), Address{~std::uint64_t{0}});
      const auto* piece = pieces_.find(*at);
      if (!piece) return unreadable(from, out.size(), *at);
      const auto count =
          std::min<std::uint64_t>(piece->range.end.value - at->value, out.size() - done);
      const Contents& segment = piece->value;
      std::memcpy(out.data() + done, segment.bytes.data() + (at->value - segment.begin.value),
                  count);
      done += count;
    }
    return {};
  }

 private:
  /// A whole segment; an overlapping one may leave it only a part of its range.
  struct Contents {
    Address begin;
    ByteView bytes;
  };

  static void add(const Image& image, const ElfSegment& segment,
                  std::vector<IntervalMap<Contents>::Entry>& pieces) {
    const auto file_bytes = std::min(segment.file_bytes, segment.memory_bytes);
    const auto contents = image.file->bytes_at(segment.file_address, file_bytes);
    const Address begin = image.to_load(segment.file_address);
    const auto end = checked_add(begin, file_bytes);
    if (contents && end) pieces.push_back({{begin, *end}, {begin, *contents}});
  }

  std::shared_ptr<const ImageMap> images_;
  IntervalMap<Contents> pieces_;
};

}  // namespace

std::string_view Image::name() const {
  const std::string_view whole = path;
  return whole.substr(whole.rfind('/') + 1);
}

ImageMap::ImageMap(std::vector<Image> images) : images_(std::move(images)) {
  std::vector<IntervalMap<Piece>::Entry> pieces;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    const Image& image = images_[i];
    if (!trusted(image)) {
      pieces.push_back({image.range, {i, false}});
      continue;
    }
    for (const ElfSegment& segment : image.file->segments())
      if (segment.loaded())
        pieces.push_back({load_range(image, segment), {i, segment.executable()}});
  }
  pieces_ = IntervalMap<Piece>(std::move(pieces));
}

const Image* ImageMap::find(Address address) const {
  const auto* piece = pieces_.find(address);
  return piece ? &images_[piece->value.image] : nullptr;
}

bool ImageMap::executable(Address address) const {
  const auto* piece = pieces_.find(address);
  return piece && piece->value.executable;
}

std::shared_ptr<const MemoryReader> image_file_reader(std::shared_ptr<const ImageMap> images) {
  return std::make_shared<ImageFileReader>(std::move(images));
}

}  // namespace cgo
