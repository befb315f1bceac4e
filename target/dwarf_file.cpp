#include "target/dwarf_file.h"

#include <algorithm>

#include "target/dwarf_constants.h"
#include "target/dwarf_split.h"
#include "target/dwarf_unit_reader.h"

namespace cgo {
namespace {

/// Reads the header at the cursor, and moves the cursor to the next one. A version of 0 marks a
/// unit of a DWARF version that is not known.
DwarfUnitHeader read_header(DwarfCursor& cursor, ByteView info) {
  DwarfUnitHeader header{.offset = cursor.position()};
  std::uint64_t length = cursor.u32();
  if (length == 0xffffffff) {
    header.dwarf64 = true;
    length = cursor.u64();
  } else if (length >= 0xfffffff0) {
    cursor.fail();
  }
  if (!cursor.ok() || length > info.size() - cursor.position()) {
    cursor.fail();
    return header;
  }
  header.end = cursor.position() + length;
  DwarfCursor in(info.first(header.end), cursor.position());
  cursor.skip(length);

  header.version = in.u16();
  header.type = dw::UT_compile;
  if (header.version >= 5) {
    header.type = in.u8();
    header.address_bytes = in.u8();
    header.abbrev_offset = in.offset(header.dwarf64);
    if (header.type == dw::UT_skeleton || header.type == dw::UT_split_compile) header.id = in.u64();
    if (header.type == dw::UT_type || header.type == dw::UT_split_type) {
      header.id = in.u64();
      header.type_die = header.offset + in.offset(header.dwarf64);
    }
  } else {
    header.abbrev_offset = in.offset(header.dwarf64);
    header.address_bytes = in.u8();
  }
  header.first_die = in.position();
  const bool known = header.version >= 2 && header.version <= 5 &&
                     (header.address_bytes == 8 || header.address_bytes == 4);
  if (!in.ok() || !known || in.at_end()) header.version = 0;
  return header;
}

}  // namespace

DwarfFile::DwarfFile(std::shared_ptr<const ElfFile> file, bool split, const DwarfCache* cache)
    : sections_(std::move(file), split, cache), split_(std::make_unique<SplitFiles>()) {}

DwarfFile::~DwarfFile() = default;

void DwarfFile::read_headers() const {
  auto info = sections_.bytes(DwarfSection::info);
  if (!info) {
    headers_error_ = std::move(info).error();
    return;
  }
  DwarfCursor cursor(*info);
  while (!cursor.at_end()) {
    const std::uint64_t at = cursor.position();
    const DwarfUnitHeader header = read_header(cursor, *info);
    if (!cursor.ok()) {
      broken_header_ = Error{ErrorCode::malformed_data,
                             sections_.file().path() + ": the unit at " + hex(at) + " of " +
                                 std::string(sections_.name(DwarfSection::info)) +
                                 " is longer than the section"};
      return;
    }
    if (header.version != 0) headers_.push_back(header);
  }
}

Result<std::span<const DwarfUnitHeader>> DwarfFile::headers() const {
  std::call_once(headers_once_, [this] { read_headers(); });
  if (headers_error_) return *headers_error_;
  return std::span<const DwarfUnitHeader>(headers_);
}

Result<const DwarfUnit*> DwarfFile::unit(std::size_t index) const {
  auto all = headers();
  if (!all) return std::move(all).error();
  {
    const std::lock_guard lock(units_mutex_);
    if (const auto found = units_.find(index); found != units_.end()) return found->second.get();
  }
  auto unit = DwarfUnitReader{*this}.read((*all)[index], nullptr, {});
  if (!unit) return std::move(unit).error();
  const std::lock_guard lock(units_mutex_);
  return units_.try_emplace(index, *std::move(unit)).first->second.get();
}

Result<std::size_t> DwarfFile::index_at(std::uint64_t offset) const {
  auto all = headers();
  if (!all) return std::move(all).error();
  const auto after = std::upper_bound(
      all->begin(), all->end(), offset,
      [](std::uint64_t wanted, const DwarfUnitHeader& header) { return wanted < header.offset; });
  if (after == all->begin() || offset >= std::prev(after)->end) {
    if (broken_header_) return *broken_header_;
    return Error{ErrorCode::malformed_data, sections_.file().path() + ": no unit holds " +
                                                hex(offset) + " of " +
                                                std::string(sections_.name(DwarfSection::info))};
  }
  return static_cast<std::size_t>(std::prev(after) - all->begin());
}

Result<const DwarfUnit*> DwarfFile::unit_with_header_at(std::uint64_t offset) const {
  auto index = index_at(offset);
  if (!index) return std::move(index).error();
  if (headers_[*index].offset != offset)
    return Error{ErrorCode::malformed_data,
                 sections_.file().path() + ": no unit begins at " + hex(offset)};
  return unit(*index);
}

Result<DwarfPlace> DwarfFile::place_at(std::uint64_t offset) const {
  auto index = index_at(offset);
  if (!index) return std::move(index).error();
  auto holder = unit(*index);
  if (!holder) return std::move(holder).error();
  return DwarfPlace{*holder, offset};
}

Result<DwarfPlace> DwarfFile::type_with_signature(std::uint64_t signature) const {
  auto all = headers();
  if (!all) return std::move(all).error();
  std::call_once(types_once_, [&] {
    for (std::size_t i = 0; i < all->size(); ++i)
      if ((*all)[i].type_die != 0) types_.try_emplace((*all)[i].id, i);
  });
  const auto found = types_.find(signature);
  if (found == types_.end() || sections_.has(DwarfSection::cu_index))
    return Error{ErrorCode::unsupported, sections_.file().path() + ": type " + hex(signature) +
                                             " is in a unit of its own that cannot be read"};
  auto holder = unit(found->second);
  if (!holder) return std::move(holder).error();
  return DwarfPlace{*holder, (*all)[found->second].type_die};
}

Result<std::shared_ptr<const DwarfAbbrevTable>> DwarfFile::abbrevs(std::uint64_t offset) const {
  auto section = sections_.bytes(DwarfSection::abbrev);
  if (!section) return std::move(section).error();
  const std::lock_guard lock(abbrevs_mutex_);
  if (const auto found = abbrevs_.find(offset); found != abbrevs_.end()) return found->second;
  // Real tables do not overlap. Ones that do would cost units times section, so they are refused.
  if (abbrev_bytes_read_ > 2 * section->size() + 65536)
    return Error{ErrorCode::malformed_data,
                 sections_.file().path() + ": abbreviation tables overlap"};
  std::uint64_t used = 0;
  auto table = DwarfAbbrevTable::parse(*section, offset, used);
  abbrev_bytes_read_ += used;
  if (!table) return std::move(table).error().in(sections_.file().path());
  auto shared = std::make_shared<const DwarfAbbrevTable>(*std::move(table));
  abbrevs_.emplace(offset, shared);
  return shared;
}

Result<const DwarfUnit*> DwarfFile::full_unit(const DwarfUnit& unit) const {
  const bool is_skeleton = !sections_.split() && !unit.dwo_name.empty() && unit.dwo_id != 0;
  if (!is_skeleton) return &unit;
  return split_unit(unit);
}

}  // namespace cgo
