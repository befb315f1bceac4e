#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "target/dwarf.h"
#include "target/dwarf_file.h"
#include "target/dwarf_functions.h"
#include "target/dwarf_line.h"
#include "target/interval_map.h"

namespace cgo {

/// From code addresses to units, functions and lines. Everything is read when it is first needed
/// and kept. Thread-safe: no lock is held while a unit is read.
class DwarfCode {
 public:
  explicit DwarfCode(const DwarfFile& file) : file_(file) {}

  const DwarfFile& file() const { return file_; }

  /// The unit whose code covers `pc`, null when none does. It may be a skeleton.
  Result<const DwarfUnit*> unit_at(Address pc) const;

  Result<const DwarfUnitContents*> contents(const DwarfUnit& unit) const;
  Result<const DwarfLineTable*> lines(const DwarfUnit& unit) const;

  /// The function whose code covers `pc`; `function` is null when the unit has none there.
  struct Found {
    const DwarfUnit* unit = nullptr;  ///< A skeleton is replaced by its full unit.
    const DwarfUnitContents* contents = nullptr;
    const DwarfFunction* function = nullptr;
  };
  Result<Found> function_at(Address pc) const;

  /// The entry points of the functions of `unit` whose chain of origins ends at `root`: the one
  /// out-of-line instance, or several clones.
  Result<std::vector<Address>> instances(const DwarfUnit& unit, DwarfPlace root) const;

  Result<std::vector<SourceFrame>> frames_at(Address pc) const;

  /// The function that has the code at `pc` and the inlined calls that cover it, outermost first:
  /// what frames_at names, in reverse. `found` is function_at(pc), with a function.
  static Result<std::vector<DwarfPlace>> chain_at(const Found& found, Address pc);

  /// Fills in the names and the language of the function at `place`.
  Result<SourceFrame> named_frame(DwarfPlace place) const;
  /// The name without demangling: qualified in C++.
  Result<std::string> plain_name(const DwarfNames& names) const;

 private:
  struct UnitState;
  using UnitMap = IntervalMap<std::uint64_t>;  // Offset of the unit's header.

  std::shared_ptr<UnitState> state(const DwarfUnit& unit) const;
  Result<void> add_symbol(DwarfPlace place, Address entry, SourceFrame& frame) const;
  bool executable(Address begin) const;
  Result<void> read_aranges() const;
  void read_unit_ranges() const;
  void read_rangeless_units() const;
  void note(Error error) const;
  Result<const DwarfUnit*> find_in(const UnitMap& map, Address pc) const;

  const DwarfFile& file_;

  mutable std::once_flag prefetch_once_, aranges_once_, ranges_once_, rangeless_once_;
  mutable UnitMap aranges_, ranges_, rangeless_;
  mutable std::unordered_set<std::uint64_t> in_aranges_;  // Offsets of headers.
  mutable std::vector<std::uint64_t> rangeless_units_;    // Likewise.
  mutable std::mutex mutex_;
  mutable std::optional<Error> first_error_;  // Of a unit that could not be read.
  mutable std::unordered_map<const DwarfUnit*, std::shared_ptr<UnitState>> states_;
};

}  // namespace cgo
