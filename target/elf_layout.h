#pragma once

#include <elf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/byte_view.h"
#include "target/elf.h"

namespace cgo {

// What the public view of a section leaves out.
struct ElfSectionLinks {
  std::uint32_t link = 0;
  std::uint64_t entry_bytes = 0;
  std::uint64_t alignment = 0;
};

/// The headers of an ELF file, checked against its size. For those who parse ELF: ElfFile,
/// CoreFile, memory_elf.
struct ElfLayout {
  std::uint16_t type = 0;
  std::uint16_t machine = 0;
  Address entry;  ///< File address where execution begins.
  std::vector<ElfSection> sections;
  std::vector<ElfSectionLinks> links;  ///< Parallel to `sections`.
  std::vector<ElfSegment> segments;
};

ElfSegment segment_from(const Elf64_Phdr& header);

/// Reads the headers of `file`. Contents of sections and segments may lie outside of it (a cut
/// core); headers may not, with one exception: the section headers of a core are left out when cut.
Result<ElfLayout> read_elf_layout(ByteView file, const std::string& name);

/// The part of a section that `file` holds; nothing when any of it lies outside.
std::optional<ByteView> stored_bytes(ByteView file, const ElfSection& section);

/// The part of a segment's file bytes that `file` holds: shorter than the segment in a cut file.
ByteView stored_bytes(ByteView file, const ElfSegment& segment);

}  // namespace cgo
