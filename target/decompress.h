#pragma once

#include <cstdint>
#include <memory>

#include "target/byte_view.h"
#include "target/result.h"

namespace cgo {

/// Bytes on the heap, not cleared before they are written.
struct OwnedBytes {
  std::unique_ptr<std::byte[]> data;
  std::size_t size = 0;

  ByteView view() const { return {data.get(), size}; }
};

/// What a section with SHF_COMPRESSED holds: an Elf64_Chdr, then zlib or zstd data.
/// Source: System V ABI, "Section Compression".
Result<OwnedBytes> decompress_shf(ByteView stored);

/// What a .zdebug_* section holds: "ZLIB", the size as 8 bytes big-endian, then zlib data.
/// Source: binutils bfd/compress.c, bfd_init_section_decompress_status.
Result<OwnedBytes> decompress_zdebug(ByteView stored);

}  // namespace cgo
