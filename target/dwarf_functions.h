#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "target/dwarf.h"
#include "target/dwarf_unit.h"
#include "target/interval_map.h"

namespace cgo {

/// A function that has code of its own.
struct DwarfFunction {
  std::uint64_t offset = 0;  ///< Of its entry in the unit.
  Address entry;
};

/// An entry that names what is inside of it: a namespace, type or function.
struct DwarfScope {
  std::uint64_t offset = 0;
  std::uint32_t tag = 0;
  std::uint32_t parent = 0;  ///< Index; the unit itself is number 0.
};

/// A type or variable that is defined in a unit.
struct DwarfNamed {
  std::uint64_t offset = 0;
  std::string name;  ///< Qualified in C++.
  /// Variables: their file address; types: Go's DW_AT_go_runtime_type. Nothing where there is none.
  std::optional<std::uint64_t> number;
};

/// What one pass over a unit finds. Immutable.
struct DwarfUnitContents {
  IntervalMap<std::uint32_t> by_pc;  ///< Index of `functions`.
  std::vector<DwarfFunction> functions;
  std::vector<DwarfScope> scopes;  ///< By rising offset.
  // Only when names were asked for:
  std::vector<DwarfNamed> types;  ///< Structures, classes, unions.
  std::vector<DwarfNamed> other_types;
  std::vector<DwarfNamed> variables;  ///< Those outside of functions, static ones, Go's constants.
  std::optional<Error> nameless;      ///< Why one of these is missing: its name cannot be read.

  /// The scope whose entry begins at `offset`, or null.
  const DwarfScope* scope_at(std::uint64_t offset) const;

  /// `name` of the entry at `offset` with the names of what it is in: "outer::inner::name".
  Result<std::string> qualified(const DwarfUnit& unit, std::uint64_t offset,
                                std::string_view name) const;

  /// Passes over all entries of `unit`.
  static Result<DwarfUnitContents> read(const DwarfUnit& unit, bool with_names);
};

/// How a function is called.
struct DwarfNames {
  std::string_view name;     ///< As in the source, not qualified.
  std::string_view linkage;  ///< The symbol; empty when DWARF has none.
  /// The entry the chain of origins and specifications ends in; equal for all that stand for one
  /// function.
  DwarfPlace root;
  bool external = false;
  Language language = Language::unknown;
};

/// Follows origins and specifications from the entry at `place`.
Result<DwarfNames> function_names(DwarfPlace place);

/// What language a unit is written in.
Language language_of(const DwarfUnit& unit);

}  // namespace cgo
