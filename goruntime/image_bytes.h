#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "target/byte_view.h"
#include "target/image.h"

namespace cgo {

/// Bytes of an image at load addresses, and what keeps them alive.
struct HeldBytes {
  ByteView bytes;
  std::shared_ptr<const void> owner;
};

/// One image as it can be read: from its file where that is as good as memory, else from memory.
/// Keeps references to both.
class ImageBytes {
 public:
  ImageBytes(const Image& image, const MemoryReader& memory) : image_(image), memory_(memory) {}

  const Image& image() const { return image_; }
  const MemoryReader& memory() const { return memory_; }
  /// The image's file, or null when there is none that can be believed.
  const ElfFile* file() const { return image_.mismatch ? nullptr : image_.file.get(); }

  /// Where the named section was loaded; empty when there is none.
  AddressRange section(std::string_view name) const;
  /// Run-time address of a symbol, or 0.
  Address symbol(std::string_view name) const;

  /// Load addresses that may hold constants (read-only after relocation), the likeliest first.
  std::vector<AddressRange> constant_ranges() const;
  /// Load addresses that the program may write, initialised ones only.
  std::vector<AddressRange> data_ranges() const;
  /// From `at` to the end of what the file has of its segment, or of the image.
  AddressRange rest_of_segment(Address at) const;

  /// Constants that hold no addresses, so that relocation left them as they are in the file: taken
  /// from there without a copy when the segment is read-only; else from memory, and from the file
  /// what memory lacks.
  Result<HeldBytes> constants(AddressRange range) const;
  /// As `constants`, but ends at the first byte that cannot be read.
  HeldBytes readable_constants(AddressRange range) const;

  /// Goes through the readable 8-byte words of `range`, which are as in the file when `from_file`
  /// and there is one, else as in memory; ends when `visit` returns false.
  using Visit = std::function<bool(Address at, std::uint64_t word)>;
  void each_word(AddressRange range, bool from_file, const Visit& visit) const;

 private:
  const ElfSegment* segment_at(Address load) const;
  /// The file's bytes at load addresses, or nothing.
  std::optional<ByteView> file_bytes(AddressRange range) const;

  const Image& image_;
  const MemoryReader& memory_;
};

}  // namespace cgo
