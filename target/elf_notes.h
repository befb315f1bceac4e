#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "target/byte_view.h"

namespace cgo {

/// One entry of a PT_NOTE segment or SHT_NOTE section.
struct ElfNote {
  std::string_view owner;  ///< "GNU", "CORE", "LINUX", "Go"; without the NUL.
  std::uint32_t type = 0;
  ByteView description;
};

/// Walks the notes in `bytes`, in order; ends at the first one that does not fit.
class ElfNotes {
 public:
  /// `alignment` is that of the segment or section: 8 is honoured, all else means 4.
  /// Source: System V ABI, "Note Section"; binutils readelf.c, process_notes_at.
  explicit ElfNotes(ByteView bytes, std::uint64_t alignment = 4)
      : bytes_(bytes), alignment_(alignment == 8 ? 8 : 4) {}

  std::optional<ElfNote> next();

 private:
  ByteView bytes_;
  std::uint64_t alignment_;
  std::uint64_t at_ = 0;
};

/// The description of the first NT_GNU_BUILD_ID among `notes`, as hex.
std::optional<std::string> build_id_in_notes(ByteView notes, std::uint64_t alignment);

/// Lower-case hex, two digits a byte: how build ids are written.
std::string hex_digits(ByteView bytes);

}  // namespace cgo
