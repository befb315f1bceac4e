#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "target/elf.h"

namespace cgo {

enum class DwarfSection : std::uint8_t {
  info,
  abbrev,
  line,
  str,
  line_str,
  str_offsets,
  addr,
  ranges,
  rnglists,
  aranges,
  cu_index,
  count
};

/// The .debug_* sections of one file, by what they are for. A section is unpacked when it is first
/// asked for and stays as long as the file. Thread-safe.
class DwarfSections {
 public:
  /// `split`: the file is a .dwo or .dwp, whose sections are named .debug_*.dwo.
  DwarfSections(std::shared_ptr<const ElfFile> file, bool split);

  const ElfFile& file() const { return *file_; }
  bool split() const { return split_; }
  bool has(DwarfSection section) const;
  /// Empty when the file has no such section.
  Result<std::span<const std::byte>> bytes(DwarfSection section) const;
  /// The NUL-terminated string at `offset` of `section`.
  Result<std::string_view> string(DwarfSection section, std::uint64_t offset) const;
  std::string_view name(DwarfSection section) const;

 private:
  std::shared_ptr<const ElfFile> file_;
  bool split_;
  std::array<const ElfSection*, static_cast<std::size_t>(DwarfSection::count)> found_{};
};

}  // namespace cgo
