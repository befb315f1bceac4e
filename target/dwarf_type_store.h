#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "target/dwarf_code.h"
#include "target/type.h"

namespace cgo {

class DwarfType;

/// The types of one file's DWARF as values, each read when it is first asked for; equal places give
/// the same object. Thread-safe. Types live as long as the store.
class DwarfTypes {
 public:
  /// Gives the entries that may define a type whose declaration has this qualified name.
  using Definitions = std::function<Result<std::vector<DwarfPlace>>(std::string_view name)>;

  /// `code` must outlive this object.
  DwarfTypes(const DwarfCode& code, Definitions definitions);
  ~DwarfTypes();

  /// The type whose entry begins at `place`; malformed_data when that is no type.
  Result<const Type*> at(DwarfPlace place) const { return at(place, 0); }

  /// What a DW_AT_type or the like of `unit` refers to; not_found when it is absent.
  Result<const Type*> referred(const DwarfUnit& unit, const DwarfValue& link) const;

  /// The integer constants that the package of a Go type has of it: `name` is the type's whole
  /// name, `type` its entry. Reads the package's unit once.
  std::span<const Enumerator> constants_of(std::string_view name, DwarfPlace type) const;

 private:
  friend class DwarfType;
  struct Key {
    const DwarfUnit* unit;
    std::uint64_t offset;
    unsigned dimension;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  /// `dimension`: of an array, how many of its dimensions have been taken away.
  Result<const Type*> at(DwarfPlace place, unsigned dimension) const;
  Result<std::string> qualified(DwarfPlace place, std::string_view name) const;
  Result<const Type*> definition(const DwarfType& declaration) const;
  /// By the offset of their type's entry.
  using PackageConstants = std::map<std::uint64_t, std::vector<Enumerator>>;
  void read_constants(std::string_view package, PackageConstants& out) const;

  const DwarfCode& code_;
  Definitions definitions_;
  mutable std::mutex mutex_;
  mutable std::map<Key, std::unique_ptr<const DwarfType>> types_;
  mutable std::mutex constants_mutex_;
  mutable std::map<std::string, PackageConstants, std::less<>> constants_;
};

}  // namespace cgo
