#include "target/dwarf_ranges.h"

#include "target/dwarf_constants.h"

namespace cgo {
namespace {

Error malformed(const DwarfUnit& unit, std::string_view what) {
  return dwarf_error({&unit, unit.header.offset}, what);
}

/// Collects the ranges of one list.
struct RangeList {
  const DwarfUnit& unit;
  std::uint64_t& budget;
  std::vector<AddressRange>& out;
  std::uint64_t base;

  Result<void> spend() const {
    if (budget == 0) {
      Error error = malformed(unit, "the range lists are too long");
      error.code = ErrorCode::limit_reached;
      return error;
    }
    --budget;
    return {};
  }
  void add(std::uint64_t begin, std::uint64_t end) const {
    if (begin < end) out.push_back({{begin}, {end}});
  }

  /// .debug_ranges. Source: DWARF 4, section 2.17.3.
  Result<void> read_version_4(DwarfCursor cursor) {
    const unsigned size = unit.header.address_bytes;
    const std::uint64_t highest = size == 8 ? ~std::uint64_t{0} : 0xffffffff;
    for (;;) {
      const std::uint64_t begin = cursor.sized(size);
      const std::uint64_t end = cursor.sized(size);
      if (!cursor.ok()) return malformed(unit, "a range list does not end");
      if (begin == 0 && end == 0) return {};
      auto spent = spend();
      if (!spent) return spent;
      if (begin == highest)
        base = end;
      else
        add(base + begin, base + end);
    }
  }

  /// .debug_rnglists. Source: DWARF 5, section 7.25.
  Result<void> read_version_5(DwarfCursor cursor) {
    const unsigned size = unit.header.address_bytes;
    for (;;) {
      const std::uint8_t kind = cursor.u8();
      if (!cursor.ok()) return malformed(unit, "a range list does not end");
      if (kind == dw::RLE_end_of_list) return {};
      auto spent = spend();
      if (!spent) return spent;
      auto done = read_entry(kind, cursor, size);
      if (!done) return done;
      if (!cursor.ok()) return malformed(unit, "a range list does not end");
    }
  }

  Result<void> read_entry(std::uint8_t kind, DwarfCursor& cursor, unsigned size) {
    const auto indexed = [&](std::uint64_t& into) -> Result<void> {
      auto address = unit.indexed_address(cursor.uleb());
      if (!address) return std::move(address).error();
      into = *address;
      return {};
    };
    std::uint64_t begin = 0, end = 0;
    Result<void> done;
    switch (kind) {
      case dw::RLE_base_addressx:
        return indexed(base);
      case dw::RLE_base_address:
        base = cursor.sized(size);
        return {};
      case dw::RLE_startx_endx:
        done = indexed(begin);
        if (done) done = indexed(end);
        break;
      case dw::RLE_startx_length:
        done = indexed(begin);
        end = begin + cursor.uleb();
        break;
      case dw::RLE_offset_pair:
        begin = base + cursor.uleb();
        end = base + cursor.uleb();
        break;
      case dw::RLE_start_end:
        begin = cursor.sized(size);
        end = cursor.sized(size);
        break;
      case dw::RLE_start_length:
        begin = cursor.sized(size);
        end = begin + cursor.uleb();
        break;
      default:
        return malformed(unit, "a range list has an entry of kind " + hex(kind));
    }
    if (done) add(begin, end);
    return done;
  }
};

/// The offset in .debug_rnglists that DW_FORM_rnglistx stands for.
Result<std::uint64_t> indexed_list(const DwarfUnit& unit, ByteView section, std::uint64_t index) {
  const unsigned size = unit.header.dwarf64 ? 8 : 4;
  std::uint64_t at = 0;
  if (__builtin_mul_overflow(index, size, &at) ||
      __builtin_add_overflow(at, unit.rnglists_base, &at))
    at = section.size();
  DwarfCursor cursor(section, at);
  const std::uint64_t offset = cursor.sized(size);
  if (!cursor.ok()) return malformed(unit, "no range list number " + hex(index));
  return unit.rnglists_base + offset;
}

Result<void> read_list(const DwarfUnit& unit, const DwarfValue& value, std::uint64_t& budget,
                       std::vector<AddressRange>& out) {
  const bool modern = unit.header.version >= 5;
  // A split unit before DWARF 5 has its lists in the executable.
  const DwarfUnit& holder = !modern && unit.skeleton ? *unit.skeleton : unit;
  const DwarfSection section = modern ? DwarfSection::rnglists : DwarfSection::ranges;
  auto bytes = holder.sections().bytes(section);
  if (!bytes) return std::move(bytes).error();
  const auto number = unit.number(value);
  if (!number) return malformed(unit, "a range list has form " + hex(value.form));
  std::uint64_t offset = *number;
  if (value.form == dw::FORM_rnglistx) {
    auto found = indexed_list(unit, *bytes, offset);
    if (!found) return std::move(found).error();
    offset = *found;
  } else if (!modern && unit.skeleton) {
    offset += unit.ranges_base;
  }
  RangeList list{unit, budget, out, unit.base_address};
  DwarfCursor cursor(*bytes, offset);
  return modern ? list.read_version_5(cursor) : list.read_version_4(cursor);
}

}  // namespace

void DwarfPcAttributes::take(std::uint16_t name, const DwarfValue& value) {
  switch (name) {
    case dw::AT_low_pc:
      low = value;
      break;
    case dw::AT_high_pc:
      high = value;
      break;
    case dw::AT_ranges:
      ranges = value;
      break;
    case dw::AT_entry_pc:
      entry = value;
      break;
    default:
      break;
  }
}

Result<void> append_ranges(const DwarfUnit& unit, const DwarfPcAttributes& pc,
                           std::uint64_t& budget, std::vector<AddressRange>& out) {
  if (pc.ranges) return read_list(unit, pc.ranges, budget, out);
  if (!pc.low || !pc.high) return {};
  auto begin = unit.address(pc.low);
  if (!begin) return std::move(begin).error();
  std::uint64_t end = 0;
  if (const auto length = unit.number(pc.high)) {
    end = *begin + *length;  // A wrapped sum is an empty range.
  } else {
    auto address = unit.address(pc.high);
    if (!address) return std::move(address).error();
    end = *address;
  }
  if (*begin < end) out.push_back({{*begin}, {end}});
  return {};
}

}  // namespace cgo
