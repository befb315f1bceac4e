#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "target/byte_view.h"
#include "target/dwarf_code.h"

namespace cgo {

/// Functions and structures of a whole file by name: what only a pass over all units can tell. It
/// is kept in the form in which it lies on disk, so that loading it costs nothing per name.
class DwarfIndex {
 public:
  struct Place {
    /// Offset of the unit's header in the main file, or in its supplement, with kInSupplement set.
    std::uint64_t unit = 0;
    std::uint64_t value = 0;  ///< Functions: entry address. Structures: offset of the entry.
  };

  static constexpr std::uint64_t kInSupplement = std::uint64_t{1} << 63;

  /// The entry of a structure.
  static Result<DwarfPlace> entry_of(const DwarfFile& file, const Place& structure);

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

 private:
  struct Entry {
    std::uint64_t unit, value;
    std::uint32_t text, text_bytes;
  };
  struct Header {
    std::uint64_t functions, structures, text_bytes;
  };
  struct Named;

  struct Work;
  static std::optional<Error> collect(const DwarfCode& code, const DwarfUnit& unit, Work& work);
  static Result<DwarfIndex> merge(const std::vector<Work>& work);
  static std::size_t append_sorted(const std::vector<Work>& work, Named Work::* part,
                                   std::vector<Entry>& entries, std::string& text);
  std::vector<Place> find(std::string_view name, std::uint64_t first, std::uint64_t count) const;
  Entry entry(std::uint64_t index) const;
  std::string_view text(const Entry& entry) const;

  std::vector<std::byte> bytes_;  // Header, entries of functions, of structures, text.
  Header header_{};
  std::optional<Error> incomplete_;
};

}  // namespace cgo
