#include "target/dwarf_locations.h"

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

Error malformed(const DwarfUnit& unit, std::string_view what) {
  return dwarf_error({&unit, unit.header.offset}, what);
}

/// Looks through one list for the entry that covers a pc.
class LocationList {
 public:
  LocationList(const DwarfUnit& unit, Address pc, std::uint64_t& budget)
      : unit_(unit), pc_(pc.value), budget_(budget), base_(unit.base_address) {}

  /// .debug_loc. Source: DWARF 4, section 2.6.2.
  Result<ByteView> find_version_4(DwarfCursor cursor) {
    const unsigned size = unit_.header.address_bytes;
    const std::uint64_t highest = size == 8 ? ~std::uint64_t{0} : 0xffffffff;
    for (;;) {
      const std::uint64_t begin = cursor.sized(size);
      const std::uint64_t end = cursor.sized(size);
      if (!cursor.ok()) return endless();
      if (begin == 0 && end == 0) return ByteView{};
      if (auto spent = spend(); !spent) return std::move(spent).error();
      if (begin == highest) {
        base_ = end;
        continue;
      }
      const ByteView code = cursor.block(cursor.u16());
      if (!cursor.ok()) return endless();
      if (covers(base_ + begin, base_ + end)) return code;
    }
  }

  /// .debug_loc.dwo before DWARF 5. Source: gcc wiki, DebugFission, "Location Lists".
  Result<ByteView> find_gnu_split(DwarfCursor cursor) {
    for (;;) {
      const std::uint8_t kind = cursor.u8();
      if (!cursor.ok()) return endless();
      if (kind == 0) return ByteView{};
      if (auto spent = spend(); !spent) return std::move(spent).error();
      std::uint64_t begin = 0, end = 0;
      Result<void> done;
      switch (kind) {
        case 1:
          done = indexed(cursor, base_);
          if (!done) return std::move(done).error();
          continue;
        case 2:
          done = indexed(cursor, begin);
          if (done) done = indexed(cursor, end);
          break;
        case 3:
          done = indexed(cursor, begin);
          end = begin + cursor.u32();
          break;
        case 4:
          begin = base_ + cursor.u32();
          end = base_ + cursor.u32();
          break;
        default:
          return malformed(unit_, "a location list has an entry of kind " + hex(kind));
      }
      if (!done) return std::move(done).error();
      const ByteView code = cursor.block(cursor.u16());
      if (!cursor.ok()) return endless();
      if (covers(begin, end)) return code;
    }
  }

  /// .debug_loclists. Source: DWARF 5, section 7.29.
  Result<ByteView> find_version_5(DwarfCursor cursor) {
    ByteView otherwise;
    for (;;) {
      const std::uint8_t kind = cursor.u8();
      if (!cursor.ok()) return endless();
      if (kind == dw::LLE_end_of_list) return otherwise;
      if (auto spent = spend(); !spent) return std::move(spent).error();
      Bounds bounds;
      auto done = read_bounds(kind, cursor, bounds);
      if (!done) return std::move(done).error();
      if (!bounds.has_code) continue;
      const ByteView code = cursor.block(cursor.uleb());
      if (!cursor.ok()) return endless();
      if (kind == dw::LLE_default_location) otherwise = code;
      if (covers(bounds.begin, bounds.end)) return code;
    }
  }

 private:
  struct Bounds {
    std::uint64_t begin = 0, end = 0;
    bool has_code = true;
  };

  Result<void> read_bounds(std::uint8_t kind, DwarfCursor& cursor, Bounds& out) {
    const unsigned size = unit_.header.address_bytes;
    Result<void> done;
    switch (kind) {
      case dw::LLE_base_addressx:
        out.has_code = false;
        return indexed(cursor, base_);
      case dw::LLE_base_address:
        out.has_code = false;
        base_ = cursor.sized(size);
        return {};
      case dw::LLE_GNU_view_pair:
        out.has_code = false;
        cursor.uleb();
        cursor.uleb();
        return {};
      case dw::LLE_startx_endx:
        done = indexed(cursor, out.begin);
        if (done) done = indexed(cursor, out.end);
        return done;
      case dw::LLE_startx_length:
        done = indexed(cursor, out.begin);
        out.end = out.begin + cursor.uleb();
        return done;
      case dw::LLE_offset_pair:
        out.begin = base_ + cursor.uleb();
        out.end = base_ + cursor.uleb();
        return {};
      case dw::LLE_default_location:
        return {};
      case dw::LLE_start_end:
        out.begin = cursor.sized(size);
        out.end = cursor.sized(size);
        return {};
      case dw::LLE_start_length:
        out.begin = cursor.sized(size);
        out.end = out.begin + cursor.uleb();
        return {};
      default:
        return malformed(unit_, "a location list has an entry of kind " + hex(kind));
    }
  }

  bool covers(std::uint64_t begin, std::uint64_t end) const { return begin <= pc_ && pc_ < end; }
  Result<void> indexed(DwarfCursor& cursor, std::uint64_t& into) const {
    auto address = unit_.indexed_address(cursor.uleb());
    if (!address) return std::move(address).error();
    into = *address;
    return {};
  }
  Error endless() const { return malformed(unit_, "a location list does not end"); }
  Result<void> spend() {
    if (budget_ == 0) {
      Error error = malformed(unit_, "the location lists are too long");
      error.code = ErrorCode::limit_reached;
      return error;
    }
    --budget_;
    return {};
  }

  const DwarfUnit& unit_;
  std::uint64_t pc_;
  std::uint64_t& budget_;
  std::uint64_t base_;
};

/// Where in .debug_loclists the list with this number begins.
Result<std::uint64_t> indexed_list(const DwarfUnit& unit, ByteView section, std::uint64_t index) {
  const unsigned size = unit.header.dwarf64 ? 8 : 4;
  std::uint64_t at = 0;
  if (__builtin_mul_overflow(index, size, &at) ||
      __builtin_add_overflow(at, unit.loclists_base, &at))
    at = section.size();
  DwarfCursor cursor(section, at);
  const std::uint64_t offset = cursor.sized(size);
  if (!cursor.ok()) return malformed(unit, "no location list number " + hex(index));
  return unit.loclists_base + offset;
}

bool is_expression(std::uint16_t form) {
  switch (form) {
    case dw::FORM_exprloc:
    case dw::FORM_block:
    case dw::FORM_block1:
    case dw::FORM_block2:
    case dw::FORM_block4:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<DwarfExpression> location_at(const DwarfUnit& unit, const DwarfValue& value, Address pc,
                                    std::uint64_t& budget) {
  if (!value) return DwarfExpression{{}, &unit};
  if (is_expression(value.form)) return DwarfExpression{value.block, &unit};
  const bool modern = unit.header.version >= 5;
  auto bytes = unit.sections().bytes(modern ? DwarfSection::loclists : DwarfSection::loc);
  if (!bytes) return std::move(bytes).error();
  Result<std::uint64_t> offset = value.number + unit.loc_start;
  if (value.form == dw::FORM_loclistx)
    offset = indexed_list(unit, *bytes, value.number);
  else if (!unit.number(value))
    return malformed(unit, "a location has form " + hex(value.form));
  if (!offset) return std::move(offset).error();
  LocationList list(unit, pc, budget);
  const DwarfCursor cursor(*bytes, *offset);
  auto code = modern                    ? list.find_version_5(cursor)
              : unit.sections().split() ? list.find_gnu_split(cursor)
                                        : list.find_version_4(cursor);
  if (!code) return std::move(code).error();
  return DwarfExpression{*code, &unit};
}

}  // namespace cgo
