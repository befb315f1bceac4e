#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "target/dwarf_cache.h"
#include "target/dwarf_code.h"
#include "target/dwarf_index.h"

namespace cgo {

/// Finds functions, types and variables of a file by name. The cheapest way that can answer is
/// taken: an index that is known already, the unit at hand, the units that Go's linker puts
/// everything of a package or all types into, and only then a pass over the whole file, which is
/// kept. Thread-safe.
class DwarfLookup {
 public:
  /// All must outlive this object.
  DwarfLookup(const DwarfCode& code, const DwarfCache& cache) : code_(code), cache_(cache) {}

  /// The index of the whole file; made when there is none yet.
  Result<const DwarfIndex*> index() const;

  /// The entry of the structure `name`; not_found when there is none.
  Result<DwarfPlace> structure(std::string_view name) const;
  /// Entries that define a type with this qualified name; those in the unit that covers the file
  /// address `near` first.
  Result<std::vector<DwarfPlace>> types(std::string_view name, Address near = {}) const;
  Result<DwarfPlace> type_with_descriptor(std::uint64_t descriptor) const;

  Result<std::vector<DwarfPlace>> variables(std::string_view name) const;
  /// A constant of a Go package: "main.Limit"; not_found when there is none.
  Result<DwarfPlace> go_constant(std::string_view name) const;
  Result<std::vector<std::string>> go_packages(std::string_view name) const;
  /// The variable that begins at or before `address`, next to it.
  Result<DwarfPlace> variable_at_or_below(Address address) const;
  /// "ns::value" of the variable whose entry is at `place`.
  Result<std::string> variable_name(DwarfPlace place) const;

  Result<std::vector<DwarfPlace>> places(const std::vector<DwarfIndex::Place>& found) const;

 private:
  struct GoTypes {
    std::unordered_map<std::string, DwarfPlace> by_name;
    std::unordered_map<std::uint64_t, DwarfPlace> by_descriptor;
  };
  using Contents = std::shared_ptr<const DwarfUnitContents>;

  /// The index if it is known without a pass over the file, else null.
  const DwarfIndex* ready_index() const;
  const GoTypes& go_types() const;
  Result<Contents> named(const DwarfUnit& unit) const;
  Result<std::vector<DwarfPlace>> types_near(std::string_view name, Address near) const;
  /// Of a Go package; nothing when the file has no unit for it.
  /// The units of Go's package with this path; none for the empty path.
  Result<std::vector<const DwarfUnit*>> go_units(std::string_view package) const;
  Result<std::optional<std::vector<DwarfPlace>>> go_variables(std::string_view name) const;
  Error not_found(std::string_view what, std::string_view name) const;

  const DwarfCode& code_;
  const DwarfCache& cache_;
  mutable std::once_flag go_types_once_, loaded_once_, index_once_;
  mutable GoTypes go_types_;
  mutable std::mutex mutex_;
  mutable bool index_ready_ = false;
  mutable Result<DwarfIndex> index_ = DwarfIndex{};
  mutable std::map<const DwarfUnit*, Contents> named_;
};

}  // namespace cgo
