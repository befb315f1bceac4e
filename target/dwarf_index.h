#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "target/byte_view.h"
#include "target/dwarf_code.h"

namespace cgo {

/// Functions, types and variables of a whole file by name, and types by Go's descriptors: what only
/// a pass over all units can tell. It is kept in the form in which it lies on disk, so that loading
/// it costs nothing per name.
class DwarfIndex {
 public:
  struct Place {
    /// Offset of the unit's header in the main file, or in its supplement, with kInSupplement set.
    std::uint64_t unit = 0;
    std::uint64_t value = 0;  ///< Functions: entry address. Else: offset of the entry.
  };

  static constexpr std::uint64_t kInSupplement = std::uint64_t{1} << 63;

  /// The entry of a type or variable.
  static Result<DwarfPlace> entry_of(const DwarfFile& file, const Place& place);

  /// Passes over all units, with `threads` at a time.
  static Result<DwarfIndex> build(const DwarfCode& code, unsigned threads);
  /// Takes bytes() of an earlier index; malformed_data when they cannot be that.
  static Result<DwarfIndex> from_bytes(std::vector<std::byte> bytes);

  ByteView bytes() const { return bytes_; }
  /// Why a unit could not be read; the index lacks what is in it.
  const std::optional<Error>& incomplete() const { return incomplete_; }

  /// Under the linkage name, and under the name as written (qualified in C++).
  std::vector<Place> functions(std::string_view name) const;
  std::vector<Place> structures(std::string_view name) const;
  /// Named types that are no structures: at most a few of one name.
  std::vector<Place> other_types(std::string_view name) const;
  /// Variables with a place of their own.
  std::vector<Place> variables(std::string_view name) const;
  /// The Go type with this DW_AT_go_runtime_type.
  std::optional<Place> type_with_descriptor(std::uint64_t descriptor) const;
  /// The variable that begins at the highest file address not above `address`.
  std::optional<Place> variable_at_or_below(std::uint64_t address) const;

  /// The places of types by name, for names that contain `text`; each name once. Stops behind
  /// `limit` names; `more` receives how many there would have been.
  std::vector<Place> types_matching(std::string_view text, std::size_t limit,
                                    std::size_t& more) const;

 private:
  enum Part : std::size_t { kFunctions, kStructures, kOtherTypes, kVariables, kNamedParts };
  enum KeyedPart : std::size_t { kDescriptors, kAddresses, kKeyedParts };
  struct Entry {
    std::uint64_t unit, value;
    std::uint32_t text, text_bytes;
  };
  struct Keyed {
    std::uint64_t key, unit, value;
  };
  struct Header {
    std::uint64_t named[kNamedParts];
    std::uint64_t keyed[kKeyedParts];
    std::uint64_t text_bytes;
  };
  struct Named;

  struct Work;
  static std::optional<Error> collect(const DwarfCode& code, const DwarfUnit& unit, Work& work);
  static Result<DwarfIndex> merge(std::vector<Work>& work);
  static std::size_t append_sorted(const std::vector<Work>& work, Part part,
                                   std::vector<Entry>& entries, std::string& text);
  static std::size_t append_keyed(std::vector<Work>& work, KeyedPart part,
                                  std::vector<Keyed>& entries);
  std::vector<Place> find(std::string_view name, Part part) const;
  std::uint64_t first(Part part) const;
  Entry entry(std::uint64_t index) const;
  std::string_view text(const Entry& entry) const;
  /// The last of `part` with a key not above `key`.
  std::optional<Keyed> last_at_or_below(KeyedPart part, std::uint64_t key) const;

  std::vector<std::byte> bytes_;  // Header, entries of each part in order, keyed ones, text.
  Header header_{};
  std::optional<Error> incomplete_;
};

}  // namespace cgo
