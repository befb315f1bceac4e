#include "goruntime/image_bytes.h"

#include <algorithm>
#include <cstring>

namespace cgo {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kChunkBytes = 1 << 20;
/// No table of a Go program is as large; a corrupt length must not exhaust memory.
constexpr std::uint64_t kLargestTable = 1ull << 30;
/// Of an image without a file: how much is searched for Go's marks.
constexpr std::uint64_t kLargestBlindSearch = 1ull << 28;

AddressRange loaded(const Image& image, Address file_address, std::uint64_t bytes) {
  const Address begin = image.to_load(file_address);
  const auto end = checked_add(begin, bytes);
  return end ? AddressRange{begin, *end} : AddressRange{};
}

/// The next multiple of `unit` (a power of two) above `at`, but at most `end`.
Address next_multiple(Address at, std::uint64_t unit, Address end) {
  const auto next = checked_add({at.value & ~(unit - 1)}, unit);
  return next ? std::min(*next, end) : end;
}

/// Reads `range` piece by piece and leaves out pages that cannot be read.
void each_readable(const MemoryReader& memory, AddressRange range,
                   const std::function<bool(Address, ByteView)>& visit) {
  std::vector<std::byte> buffer(std::min(range.bytes(), kChunkBytes));
  Address at = range.begin;
  while (at < range.end) {
    const Address end = next_multiple(at, kChunkBytes, range.end);
    std::span<std::byte> piece(buffer.data(), end.value - at.value);
    auto done = memory.read(at, piece);
    if (done) {
      if (!visit(at, piece)) return;
      at = end;
      continue;
    }
    const Address bad = std::clamp(done.error().address.value_or(at), at, {end.value - 1});
    piece = piece.first(bad.value - at.value);
    if (!piece.empty() && memory.read(at, piece) && !visit(at, piece)) return;
    at = next_multiple(bad, kPageBytes, range.end);
  }
}

/// A buffer, as the owner of a view of it.
HeldBytes held(std::vector<std::byte> buffer) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(buffer));
  return {*owner, owner};
}

}  // namespace

AddressRange ImageBytes::section(std::string_view name) const {
  if (!file()) return {};
  const ElfSection* section = file()->section(name);
  // Address 0: not part of the loaded image.
  if (!section || !section->file_address || !section->has_bytes_in_file()) return {};
  return loaded(image_, section->file_address, section->bytes);
}

Address ImageBytes::symbol(std::string_view name) const {
  if (!file()) return {};
  const ElfSymbol* symbol = file()->find_symbol(name);
  return symbol && symbol->file_address ? image_.to_load(symbol->file_address) : Address{};
}

std::vector<AddressRange> ImageBytes::constant_ranges() const {
  if (!file()) {
    const auto& range = image_.range;
    const auto end = checked_add(range.begin, std::min(range.bytes(), kLargestBlindSearch));
    return {AddressRange{range.begin, end.value_or(range.begin)}};
  }
  std::vector<AddressRange> ranges;
  // Position-independent programs of Go 1.25 and older keep the function table in .data.rel.ro.
  for (std::string_view name : {".data.rel.ro", ".rodata", ".data", ".noptrdata"})
    if (const auto range = section(name); !range.empty()) ranges.push_back(range);
  if (!file()->sections().empty()) return ranges;
  for (const ElfSegment& segment : file()->segments())
    if (segment.loaded())
      ranges.push_back(loaded(image_, segment.file_address, segment.file_bytes));
  return ranges;
}

std::vector<AddressRange> ImageBytes::data_ranges() const {
  if (!file()) return constant_ranges();
  std::vector<AddressRange> ranges;
  for (const ElfSegment& segment : file()->segments())
    if (segment.loaded() && segment.writable())
      ranges.push_back(loaded(image_, segment.file_address, segment.file_bytes));
  return ranges;
}

AddressRange ImageBytes::rest_of_segment(Address at) const {
  if (const ElfSegment* segment = segment_at(at))
    return {at, loaded(image_, segment->file_address, segment->file_bytes).end};
  return file() ? AddressRange{} : AddressRange{at, image_.range.end};
}

const ElfSegment* ImageBytes::segment_at(Address load) const {
  if (!file()) return nullptr;
  for (const ElfSegment& segment : file()->segments())
    if (segment.loaded() && loaded(image_, segment.file_address, segment.file_bytes).contains(load))
      return &segment;
  return nullptr;
}

std::optional<ByteView> ImageBytes::file_bytes(AddressRange range) const {
  if (!file()) return std::nullopt;
  auto bytes = file()->bytes_at(image_.to_file(range.begin), range.bytes());
  if (!bytes) return std::nullopt;
  return *bytes;
}

Result<HeldBytes> ImageBytes::constants(AddressRange range) const {
  if (range.empty()) return HeldBytes{};
  if (range.bytes() > kLargestTable)
    return Error{ErrorCode::limit_reached,
                 "table of " + std::to_string(range.bytes()) + " bytes at " + hex(range.begin),
                 range.begin};
  const auto in_file = file_bytes(range);
  const ElfSegment* segment = segment_at(range.begin);
  if (in_file && segment && !segment->writable()) return HeldBytes{*in_file, image_.file};

  if (!in_file) {
    auto bytes = read_bytes(memory_, range.begin, range.bytes());
    if (!bytes) return std::move(bytes).error();
    return held(*std::move(bytes));
  }
  // A page that memory lacks was not written to, or it would be in the core: the file has it.
  std::vector<std::byte> bytes(in_file->begin(), in_file->end());
  each_readable(memory_, range, [&](Address at, ByteView piece) {
    std::memcpy(bytes.data() + (at.value - range.begin.value), piece.data(), piece.size());
    return true;
  });
  return held(std::move(bytes));
}

HeldBytes ImageBytes::readable_constants(AddressRange range) const {
  if (file_bytes(range)) {
    auto whole = constants(range);
    return whole ? *std::move(whole) : HeldBytes{};
  }
  std::vector<std::byte> bytes;
  each_readable(memory_, range, [&](Address at, ByteView piece) {
    if (at.value - range.begin.value != bytes.size()) return false;
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return bytes.size() < kLargestTable;
  });
  return held(std::move(bytes));
}

void ImageBytes::each_word(AddressRange range, bool from_file, const Visit& visit) const {
  const auto words = [&](Address at, ByteView bytes) {
    const std::uint64_t skip = -at.value & 7;
    for (std::uint64_t i = skip; i + 8 <= bytes.size(); i += 8)
      if (!visit({at.value + i}, *load<std::uint64_t>(bytes, i))) return false;
    return true;
  };
  if (from_file)
    if (const auto bytes = file_bytes(range)) {
      words(range.begin, *bytes);
      return;
    }
  each_readable(memory_, range, words);
}

}  // namespace cgo
