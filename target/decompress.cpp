#include "target/decompress.h"

#include <elf.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace cgo {
namespace {

constexpr std::uint32_t kZlib = 1;  // ELFCOMPRESS_ZLIB
constexpr std::uint32_t kZstd = 2;  // ELFCOMPRESS_ZSTD

// No real section comes near; a size above it is a lie that must not be allocated.
constexpr std::uint64_t kLargestSection = std::uint64_t{8} << 30;
// The most that one stored byte can become. Source: zlib's "Maximum Compression Factor" (1032:1);
// RFC 8878: a block of at most 128 KiB takes at least 4 bytes.
constexpr std::uint64_t kZlibFactor = 1040;
constexpr std::uint64_t kZstdFactor = (128 * 1024) / 4;

Error malformed(std::string message) {
  return Error{ErrorCode::malformed_data, "compressed section: " + std::move(message)};
}

Result<OwnedBytes> reserve(std::uint64_t claimed, std::uint64_t stored, std::uint64_t factor) {
  if (claimed > kLargestSection || claimed / factor > stored)
    return malformed("claims " + std::to_string(claimed) + " bytes from " + std::to_string(stored) +
                     " stored ones");
  return OwnedBytes{.data = std::make_unique_for_overwrite<std::byte[]>(claimed), .size = claimed};
}

/// Ends the inflate state however the function leaves.
struct Inflater {
  z_stream stream{};
  bool ready = inflateInit(&stream) == Z_OK;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

Result<OwnedBytes> inflate_exactly(ByteView stored, std::uint64_t claimed) {
  auto out = reserve(claimed, stored.size(), kZlibFactor);
  if (!out) return out;
  Inflater inflater;
  if (!inflater.ready) return malformed("zlib could not start");
  z_stream& stream = inflater.stream;
  // zlib counts in 32 bits, sections in 64: feed it by pieces.
  constexpr std::uint64_t kPiece = std::numeric_limits<uInt>::max();
  std::uint64_t taken = 0;
  std::uint64_t made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const auto in = static_cast<uInt>(std::min(kPiece, stored.size() - taken));
    const auto room = static_cast<uInt>(std::min(kPiece, claimed - made));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data() + taken));
    stream.avail_in = in;
    stream.next_out = reinterpret_cast<Bytef*>(out->data.get() + made);
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += room - stream.avail_out;
    if (status == Z_OK && stream.avail_in == in && stream.avail_out == room) break;
  }
  if (status != Z_STREAM_END || made != claimed)
    return malformed("zlib data is damaged or not of the size it claims (" + std::to_string(made) +
                     " of " + std::to_string(claimed) + " bytes)");
  return out;
}

Result<OwnedBytes> unzstd_exactly(ByteView stored, std::uint64_t claimed) {
  auto out = reserve(claimed, stored.size(), kZstdFactor);
  if (!out) return out;
  const std::size_t made =
      ZSTD_decompress(out->data.get(), out->size, stored.data(), stored.size());
  if (ZSTD_isError(made)) return malformed(std::string("zstd: ") + ZSTD_getErrorName(made));
  if (made != claimed)
    return malformed("zstd data holds " + std::to_string(made) + " bytes, not the " +
                     std::to_string(claimed) + " it claims");
  return out;
}

}  // namespace

Result<OwnedBytes> decompress_shf(ByteView stored) {
  const auto header = load<Elf64_Chdr>(stored, 0);
  if (!header) return malformed("shorter than its header");
  const ByteView data = stored.subspan(sizeof(Elf64_Chdr));
  if (header->ch_type == kZlib) return inflate_exactly(data, header->ch_size);
  if (header->ch_type == kZstd) return unzstd_exactly(data, header->ch_size);
  return Error{ErrorCode::unsupported,
               "compressed section: unknown method " + std::to_string(header->ch_type)};
}

Result<OwnedBytes> decompress_zdebug(ByteView stored) {
  constexpr std::uint64_t kHeaderBytes = 12;
  const auto magic = load<std::array<char, 4>>(stored, 0);
  if (!magic || *magic != std::array{'Z', 'L', 'I', 'B'} || stored.size() < kHeaderBytes)
    return malformed("no ZLIB header");
  std::uint64_t claimed = 0;
  for (const std::byte byte : stored.subspan(4, 8))
    claimed = claimed << 8 | std::to_integer<std::uint64_t>(byte);
  return inflate_exactly(stored.subspan(kHeaderBytes), claimed);
}

}  // namespace cgo
