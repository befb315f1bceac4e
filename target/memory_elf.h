#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "target/elf.h"
#include "target/memory_reader.h"

namespace cgo {

/// What the headers of an ELF file that is mapped in a debuggee say about it.
struct MappedElf {
  std::uint16_t type = 0;
  std::uint16_t machine = 0;
  std::uint64_t bias = 0;  ///< Load address minus file address, modulo 2^64.
  AddressRange range;      ///< Load addresses, first to last byte of its PT_LOADs.
  std::vector<ElfSegment> segments;
  std::optional<std::string> build_id;  ///< Nothing when it has none, or its page is unreadable.
};

/// Reads the ELF header at `base`, where the file's first byte is mapped.
Result<MappedElf> mapped_elf_at(const MemoryReader& memory, Address base);

/// An ElfFile made of what is mapped at `base`: for the vDSO, and for images whose file is gone. It
/// has the segments (bytes_at fails in pages that cannot be read), the build id and the dynamic
/// symbols; section headers only where they are mapped too, as in the vDSO. Writable segments hold
/// what the debuggee made of them. limit_reached when the image is larger than `limit` bytes.
Result<std::shared_ptr<const ElfFile>> elf_file_from_memory(const MemoryReader& memory,
                                                            Address base, std::string name,
                                                            std::uint64_t limit = 256u << 20);

}  // namespace cgo
