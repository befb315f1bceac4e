#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "target/elf.h"
#include "target/interval_map.h"
#include "target/memory_reader.h"

namespace cgo {

class DwarfInfo;

/// An executable or shared object as it lies in the debuggee.
struct Image {
  std::string path;                     ///< As the debuggee names it.
  std::shared_ptr<const ElfFile> file;  ///< Null when the file is not on this machine.
  std::uint64_t bias = 0;               ///< Load address minus file address, modulo 2^64.
  AddressRange range;                   ///< Load addresses, first to last byte of its PT_LOADs.
  /// Set when `file` was found but is not the file the debuggee ran (build ids differ): the reason,
  /// with both ids. Nothing of such a file is used for unwinding.
  std::optional<Error> mismatch;

  Address to_file(Address load) const { return {load.value - bias}; }
  Address to_load(Address file_address) const { return {file_address.value + bias}; }
  /// The part of the path after the last slash.
  std::string_view name() const;
};

/// The images of a debuggee, found by address. Immutable once built; a module load builds a new
/// one.
class ImageMap {
 public:
  ImageMap() = default;
  explicit ImageMap(std::vector<Image> images);

  /// The image one of whose PT_LOAD segments covers the load address `address`, or null; for an
  /// image whose file is absent or is not the right one, its `range` counts. The pointer lives as
  /// long as this map.
  const Image* find(Address address) const;
  /// Whether `address` is in a segment of an image that may be executed. False where the image's
  /// file is absent or wrong: ask the debuggee's mappings there.
  bool executable(Address address) const;
  /// The symbol that covers the load address `address`, as ElfFile::symbol_at has it; null where
  /// none does, and where the image's file is absent or wrong.
  const ElfSymbol* symbol_at(Address address) const;
  /// The same, when it begins there.
  const ElfSymbol* symbol_beginning_at(Address address) const;
  std::span<const Image> all() const { return images_; }
  /// The first image with this path, or null.
  const Image* with_path(std::string_view path) const;

 private:
  struct Piece {
    std::size_t image;
    bool executable;
  };
  std::vector<Image> images_;
  IntervalMap<Piece> pieces_;
};

/// Memory of images taken from their files: only segments that are not writable, so that it is what
/// the debuggee had unless it patched its own code. The last source of a SplicedReader, for pages a
/// core lacks. Keeps `images` alive; safe to use from several threads.
std::shared_ptr<const MemoryReader> image_file_reader(std::shared_ptr<const ImageMap> images);

}  // namespace cgo
