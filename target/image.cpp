#include "target/image.h"

#include <algorithm>

#include "target/segment_memory.h"

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
    for (const Image& image : images_->all()) {
      if (!trusted(image)) continue;
      for (const ElfSegment& segment : image.file->segments()) {
        if (!segment.loaded() || segment.writable()) continue;
        const auto contents = image.file->bytes_at(
            segment.file_address, std::min(segment.file_bytes, segment.memory_bytes));
        if (contents) memory_.add(image.to_load(segment.file_address), *contents);
      }
    }
    memory_.build();
  }

  Result<void> read(Address from, std::span<std::byte> out) const override {
    return memory_.read(from, out);
  }
  void read_each(std::span<MemoryPiece> pieces) const override {
    for (MemoryPiece& piece : pieces)
      if (!piece.read && images_->find(piece.from) != nullptr)
        piece.read = memory_.read(piece.from, piece.out).has_value();
  }

 private:
  std::shared_ptr<const ImageMap> images_;  // Owns the files.
  SegmentMemory memory_;
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

const Image* ImageMap::with_path(std::string_view path) const {
  const auto found = std::ranges::find(images_, path, &Image::path);
  return found == images_.end() ? nullptr : &*found;
}

const Image* ImageMap::find(Address address) const {
  const auto* piece = pieces_.find(address);
  return piece ? &images_[piece->value.image] : nullptr;
}

const ElfSymbol* ImageMap::symbol_at(Address address) const {
  const Image* image = find(address);
  if (image == nullptr || !trusted(*image)) return nullptr;
  return image->file->symbol_at(image->to_file(address));
}

const ElfSymbol* ImageMap::symbol_beginning_at(Address address) const {
  const Image* image = find(address);
  const ElfSymbol* symbol = symbol_at(address);
  return symbol != nullptr && image->to_load(symbol->file_address) == address ? symbol : nullptr;
}

bool ImageMap::executable(Address address) const {
  const auto* piece = pieces_.find(address);
  return piece && piece->value.executable;
}

std::shared_ptr<const MemoryReader> image_file_reader(std::shared_ptr<const ImageMap> images) {
  return std::make_shared<ImageFileReader>(std::move(images));
}

}  // namespace cgo
