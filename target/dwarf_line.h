#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/dwarf_unit.h"
#include "target/interval_map.h"

namespace cgo {

/// The line table of a unit. Immutable once parsed.
class DwarfLineTable {
 public:
  struct Position {
    std::uint64_t file = 0;  ///< A number for path(); numbers in DW_AT_call_file are the same.
    std::uint32_t line = 0;
  };

  /// Parses the table that `unit` names; an empty one when it names none.
  static Result<DwarfLineTable> parse(const DwarfUnit& unit);

  /// The source position of the instruction at or before `pc`, of the sequence that covers it.
  std::optional<Position> find(Address pc) const;

  /// The full path of a file, with the compilation directory before a relative one and without "."
  /// and ".." parts. Empty for a number that is not in the table.
  std::string path(std::uint64_t file) const;

 private:
  friend class DwarfLineProgram;

  struct Row {
    std::uint64_t address;
    std::uint32_t file;
    std::uint32_t line;
  };
  struct Sequence {
    std::uint32_t first, count;  // Rows.
  };
  struct File {
    std::string_view name;
    std::uint64_t directory;
  };

  std::string_view comp_dir_;
  std::vector<std::string_view> directories_;
  std::vector<File> files_;
  bool counts_from_one_ = true;  // Before DWARF 5; there 0 is the compilation directory.
  std::vector<Row> rows_;
  IntervalMap<Sequence> sequences_;
};

}  // namespace cgo
