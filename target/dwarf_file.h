#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "target/dwarf_unit.h"

namespace cgo {

/// The units of one file's .debug_info, each read when it is first asked for. Thread-safe, without
/// a lock held while a unit is read. Units are never moved or dropped.
class DwarfFile {
 public:
  /// See DwarfSections.
  explicit DwarfFile(std::shared_ptr<const ElfFile> file, bool split = false,
                     const DwarfCache* cache = nullptr);
  ~DwarfFile();

  const DwarfSections& sections() const { return sections_; }

  /// The headers of all units by rising offset, up to the first that makes no sense (see
  /// broken_header). Units of a DWARF version that is not known are left out.
  Result<std::span<const DwarfUnitHeader>> headers() const;
  /// Set when the list of headers() is cut short by this. Valid after headers().
  const std::optional<Error>& broken_header() const { return broken_header_; }

  /// The unit whose header is headers()[index].
  Result<const DwarfUnit*> unit(std::size_t index) const;
  Result<const DwarfUnit*> unit_with_header_at(std::uint64_t offset) const;
  /// An offset of .debug_info as the place it is in some unit.
  Result<DwarfPlace> place_at(std::uint64_t offset) const;

  /// The type that a type unit of .debug_info defines. Those of DWARF 4 lie in .debug_types, which
  /// is not read, and those in packages of split units are not either: unsupported.
  Result<DwarfPlace> type_with_signature(std::uint64_t signature) const;

  /// What a skeleton unit stands for, from its .dwo file or the .dwp beside the executable. Gives
  /// the unit itself when it is not a skeleton.
  Result<const DwarfUnit*> full_unit(const DwarfUnit& unit) const;

  bool has_supplement() const { return sections_.file().section(".gnu_debugaltlink") != nullptr; }
  /// The file of .gnu_debugaltlink, which holds what several debug files have in common.
  Result<const DwarfFile*> supplement() const;

 private:
  struct SplitFiles;
  friend struct DwarfUnitReader;

  void read_headers() const;
  Result<std::size_t> index_at(std::uint64_t offset) const;
  Result<std::shared_ptr<const DwarfAbbrevTable>> abbrevs(std::uint64_t offset) const;
  Result<const DwarfUnit*> split_unit(const DwarfUnit& skeleton) const;

  DwarfSections sections_;

  mutable std::once_flag headers_once_;
  mutable std::vector<DwarfUnitHeader> headers_;
  mutable std::optional<Error> headers_error_, broken_header_;

  mutable std::once_flag types_once_;
  mutable std::unordered_map<std::uint64_t, std::size_t> types_;  // Index of headers_.

  mutable std::mutex units_mutex_;
  mutable std::unordered_map<std::size_t, std::unique_ptr<const DwarfUnit>> units_;

  mutable std::mutex abbrevs_mutex_;
  mutable std::unordered_map<std::uint64_t, std::shared_ptr<const DwarfAbbrevTable>> abbrevs_;
  mutable std::uint64_t abbrev_bytes_read_ = 0;

  mutable std::once_flag supplement_once_;
  mutable std::unique_ptr<const DwarfFile> supplement_;
  mutable std::optional<Error> supplement_error_;

  std::unique_ptr<SplitFiles> split_;
};

}  // namespace cgo
