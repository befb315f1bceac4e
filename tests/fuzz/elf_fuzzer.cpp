// Everything ElfFile says about a file that nobody vouches for.
#include <cstdint>

#include "target/elf.h"
#include "target/image.h"

namespace cgo {
namespace {

void ask_everything(const ElfFile& file) {
  (void)file.debug_link();
  for (const ElfSection& section : file.sections()) {
    (void)file.section_bytes(section);
    (void)file.symbol_at(section.file_address);
  }
  for (const ElfSegment& segment : file.segments())
    (void)file.bytes_at(segment.file_address, segment.file_bytes);
  for (const ElfSymbol& symbol : file.symbols()) {
    (void)file.symbol_at(symbol.file_address);
    (void)file.symbol_at({symbol.file_address.value + symbol.bytes - 1});
    (void)file.find_symbol(symbol.name);
  }
}

void read_as_image(std::shared_ptr<const ElfFile> file) {
  const auto images = std::make_shared<const ImageMap>(
      std::vector{Image{.path = "fuzz", .file = file, .bias = 0x1000}});
  const auto reader = image_file_reader(images);
  for (const ElfSegment& segment : file->segments()) {
    const Address at = images->all()[0].to_load(segment.file_address);
    (void)images->find(at);
    (void)read_unsigned<std::uint64_t>(*reader, at);
    (void)read_bytes(*reader, at, segment.memory_bytes, 1 << 16);
  }
}

}  // namespace
}  // namespace cgo

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = cgo::ElfFile::from_bytes({bytes.begin(), bytes.end()}, "fuzz");
  if (!file) return 0;
  cgo::ask_everything(**file);
  cgo::read_as_image(*file);
  return 0;
}
