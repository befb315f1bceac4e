#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "target/dwarf_abbrev.h"
#include "target/dwarf_cursor.h"
#include "target/dwarf_sections.h"

namespace cgo {

class DwarfFile;
struct DwarfUnit;

/// The header of a unit of .debug_info. Offsets are into that section.
struct DwarfUnitHeader {
  std::uint64_t offset = 0;     ///< Of the header.
  std::uint64_t first_die = 0;  ///< Of the unit's own entry, right behind the header.
  std::uint64_t end = 0;
  std::uint64_t abbrev_offset = 0;
  /// Split units: what skeleton and .dwo have in common. Type units: the type's signature. Else 0.
  std::uint64_t id = 0;
  std::uint64_t type_die = 0;  ///< Type units: of the type's entry.
  std::uint16_t version = 0;
  std::uint8_t type = 0;  ///< DW_UT_*; compile for all units before DWARF 5.
  std::uint8_t address_bytes = 0;
  bool dwarf64 = false;
};

/// One attribute's value as it is stored; DwarfUnit's methods tell what it means.
struct DwarfValue {
  std::uint16_t form = 0;  ///< 0 for an attribute that is not there.
  std::uint64_t number = 0;
  ByteView block;  ///< For blocks, and for text (without its NUL).

  explicit operator bool() const { return form != 0; }
};

/// A place in a unit: where a debugging entry begins.
struct DwarfPlace {
  const DwarfUnit* unit = nullptr;
  std::uint64_t offset = 0;

  friend bool operator==(const DwarfPlace&, const DwarfPlace&) = default;
};

/// A unit and what its own entry says about it. Immutable; lives as long as its DwarfFile.
struct DwarfUnit {
  const DwarfFile* file = nullptr;
  DwarfUnitHeader header;
  ByteView info;  ///< .debug_info up to the end of this unit.
  std::shared_ptr<const DwarfAbbrevTable> abbrevs;
  const DwarfUnit* skeleton = nullptr;  ///< Of a split unit: the unit in the executable.

  std::uint32_t tag = 0;
  std::string_view name, comp_dir, producer, dwo_name;
  std::string_view go_package;  ///< As its `package` clause has it; `name` is the import path.
  std::uint16_t language = 0;   ///< DW_LANG_*.
  std::optional<std::uint64_t> line_table;
  std::uint64_t base_address = 0;  ///< DW_AT_low_pc: what range list entries count from.
  DwarfValue low_pc, high_pc, ranges;
  std::uint64_t addr_base = 0, str_offsets_base = 0, rnglists_base = 0, loclists_base = 0,
                ranges_base = 0;
  std::uint64_t loc_start = 0;  ///< Of a unit in a package before DWARF 5: its part of .debug_loc.
  std::uint64_t dwo_id = 0;

  const DwarfSections& sections() const;

  /// The value of one attribute; the cursor fails when it does not fit or its form is not known.
  DwarfValue read(DwarfCursor& cursor, const DwarfAttributeSpec& spec) const;
  /// Moves over all values of an entry.
  void skip(DwarfCursor& cursor, const DwarfAbbrev& abbrev) const;

  Result<std::string_view> text(const DwarfValue& value) const;
  Result<std::uint64_t> address(const DwarfValue& value) const;
  /// A constant, flag or section offset; nothing for other forms and for negative numbers.
  std::optional<std::uint64_t> number(const DwarfValue& value) const;
  /// The entry that the value refers to, in this or another unit.
  Result<DwarfPlace> reference(const DwarfValue& value) const;
  /// The address with this number in .debug_addr.
  Result<std::uint64_t> indexed_address(std::uint64_t index) const;

 private:
  Result<std::string_view> indexed_text(std::uint64_t index) const;
};

/// Where an entry's values begin, and how they lie.
struct DwarfDie {
  const DwarfUnit* unit = nullptr;
  std::uint64_t offset = 0;
  std::uint64_t values = 0;
  const DwarfAbbrev* abbrev = nullptr;

  std::uint32_t tag() const { return abbrev->tag; }
  DwarfPlace place() const { return {unit, offset}; }

  /// Calls `visit(name, value)` for each attribute in order. Gives the offset behind the last one,
  /// or nothing when the values do not fit into the unit.
  template <class Visit>
  std::optional<std::uint64_t> attributes(Visit&& visit) const {
    DwarfCursor cursor(unit->info, values);
    for (const DwarfAttributeSpec& spec : unit->abbrevs->specs(*abbrev)) {
      const DwarfValue value = unit->read(cursor, spec);
      if (!cursor.ok()) return std::nullopt;
      visit(spec.name, value);
    }
    return cursor.position();
  }
};

/// The entry at a place; malformed_data when there is none.
Result<DwarfDie> read_die(DwarfPlace place);

/// What went wrong at `place`, with the file's name.
Error dwarf_error(DwarfPlace place, std::string_view what);

}  // namespace cgo
