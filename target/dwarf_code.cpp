#include "target/dwarf_code.h"

#include <algorithm>
#include <map>

#include "target/dwarf_constants.h"
#include "target/dwarf_ranges.h"

namespace cgo {

struct DwarfCode::UnitState {
  using Instances = std::map<std::pair<const DwarfUnit*, std::uint64_t>, std::vector<Address>>;

  std::once_flag contents_once, lines_once, instances_once;
  Result<DwarfUnitContents> contents = DwarfUnitContents{};
  Result<DwarfLineTable> lines = DwarfLineTable{};
  Result<Instances> instances = Instances{};

  static Result<Instances> read_instances(const DwarfUnit& unit, const DwarfUnitContents& all) {
    Instances out;
    for (const DwarfFunction& function : all.functions) {
      auto names = function_names({&unit, function.offset});
      if (!names) return std::move(names).error();
      out[{names->root.unit, names->root.offset}].push_back(function.entry);
    }
    return out;
  }
};

std::shared_ptr<DwarfCode::UnitState> DwarfCode::state(const DwarfUnit& unit) const {
  const std::lock_guard lock(mutex_);
  auto& slot = states_[&unit];
  if (!slot) slot = std::make_shared<UnitState>();
  return slot;
}

Result<const DwarfUnitContents*> DwarfCode::contents(const DwarfUnit& unit) const {
  const auto held = state(unit);
  std::call_once(held->contents_once,
                 [&] { held->contents = DwarfUnitContents::read(unit, false); });
  if (!held->contents) return held->contents.error();
  return &*held->contents;  // states_ never lets go of it.
}

Result<const DwarfLineTable*> DwarfCode::lines(const DwarfUnit& unit) const {
  const auto held = state(unit);
  std::call_once(held->lines_once, [&] { held->lines = DwarfLineTable::parse(unit); });
  if (!held->lines) return held->lines.error();
  return &*held->lines;
}

Result<std::vector<Address>> DwarfCode::instances(const DwarfUnit& unit, DwarfPlace root) const {
  auto all = contents(unit);
  if (!all) return std::move(all).error();
  const auto held = state(unit);
  std::call_once(held->instances_once,
                 [&] { held->instances = UnitState::read_instances(unit, **all); });
  if (!held->instances) return held->instances.error();
  const auto found = held->instances->find({root.unit, root.offset});
  return found == held->instances->end() ? std::vector<Address>{} : found->second;
}

void DwarfCode::note(Error error) const {
  const std::lock_guard lock(mutex_);
  if (!first_error_) first_error_ = std::move(error);
}

/// Linkers leave the ranges of code that they dropped, at 0 or at another address without code.
bool DwarfCode::executable(Address begin) const {
  bool any = false;
  for (const ElfSegment& segment : file_.sections().file().segments()) {
    if (!segment.loaded() || !segment.executable()) continue;
    if (segment.range().contains(begin)) return true;
    any = true;
  }
  return !any;
}

/// Source: DWARF 5, section 6.1.2.
Result<void> DwarfCode::read_aranges() const {
  auto section = file_.sections().bytes(DwarfSection::aranges);
  if (!section) return std::move(section).error();
  std::vector<UnitMap::Entry> entries;
  DwarfCursor all(*section);
  while (!all.at_end()) {
    std::uint64_t length = all.u32();
    const bool dwarf64 = length == 0xffffffff;
    if (dwarf64) length = all.u64();
    const std::uint64_t begin = all.position() - (dwarf64 ? 12 : 4);
    DwarfCursor in(all.block(length));
    const std::uint16_t version = in.u16();
    const std::uint64_t unit = in.offset(dwarf64);
    const std::uint8_t address_bytes = in.u8();
    const std::uint8_t segment_bytes = in.u8();
    if (!all.ok() || !in.ok() || version != 2 || segment_bytes != 0 ||
        (address_bytes != 8 && address_bytes != 4))
      break;  // The units behind are found through their own ranges.
    const std::uint64_t header = all.position() - length - begin + in.position();
    in.skip((2 * address_bytes - header % (2 * address_bytes)) % (2 * address_bytes));
    while (!in.at_end()) {
      const Address from{in.sized(address_bytes)};
      const std::uint64_t bytes = in.sized(address_bytes);
      if (!in.ok() || (from.value == 0 && bytes == 0)) break;
      const auto to = checked_add(from, bytes);
      if (to && executable(from)) entries.push_back({{from, *to}, unit});
    }
    in_aranges_.insert(unit);
  }
  aranges_ = UnitMap(std::move(entries));
  return {};
}

void DwarfCode::read_unit_ranges() const {
  auto headers = file_.headers();
  if (!headers) return note(std::move(headers).error());
  if (file_.broken_header()) note(*file_.broken_header());
  std::vector<UnitMap::Entry> entries;
  std::vector<AddressRange> ranges;
  std::uint64_t budget = 1 << 24;
  for (std::size_t i = 0; i < headers->size(); ++i) {
    const DwarfUnitHeader& header = (*headers)[i];
    if (in_aranges_.contains(header.offset)) continue;
    if (header.type != dw::UT_compile && header.type != dw::UT_skeleton) continue;
    auto unit = file_.unit(i);
    if (!unit) {
      note(std::move(unit).error());
      continue;
    }
    if ((*unit)->tag != dw::TAG_compile_unit && (*unit)->tag != dw::TAG_skeleton_unit) continue;
    ranges.clear();
    auto done = append_ranges(
        **unit, {.low = (*unit)->low_pc, .high = (*unit)->high_pc, .ranges = (*unit)->ranges},
        budget, ranges);
    if (!done) note(std::move(done).error());
    if (done && !(*unit)->ranges && !(*unit)->high_pc) rangeless_units_.push_back(header.offset);
    for (const AddressRange& range : ranges)
      if (executable(range.begin)) entries.push_back({range, header.offset});
  }
  ranges_ = UnitMap(std::move(entries));
}

/// Units that do not say what code they have, though their functions may.
void DwarfCode::read_rangeless_units() const {
  std::vector<UnitMap::Entry> entries;
  for (const std::uint64_t offset : rangeless_units_) {
    auto unit = file_.unit_with_header_at(offset);
    if (unit) unit = file_.full_unit(**unit);
    if (!unit) {
      note(std::move(unit).error());
      continue;
    }
    auto found = DwarfUnitContents::read(**unit, false);
    if (!found) {
      note(std::move(found).error());
      continue;
    }
    for (const auto& piece : found->by_pc.pieces())
      if (executable(piece.range.begin)) entries.push_back({piece.range, offset});
  }
  rangeless_ = UnitMap(std::move(entries));
}

Result<const DwarfUnit*> DwarfCode::find_in(const UnitMap& map, Address pc) const {
  const auto* found = map.find(pc);
  if (!found) return nullptr;
  return file_.unit_with_header_at(found->value);
}

Result<const DwarfUnit*> DwarfCode::unit_at(Address pc) const {
  std::call_once(aranges_once_, [this] {
    auto done = read_aranges();
    if (!done) note(std::move(done).error());
  });
  auto unit = find_in(aranges_, pc);
  if (!unit || *unit) return unit;
  std::call_once(ranges_once_, [this] { read_unit_ranges(); });
  unit = find_in(ranges_, pc);
  if (!unit || *unit) return unit;
  std::call_once(rangeless_once_, [this] { read_rangeless_units(); });
  unit = find_in(rangeless_, pc);
  if (!unit || *unit) return unit;
  const std::lock_guard lock(mutex_);
  if (first_error_) return Error(*first_error_).in("no unit covers " + hex(pc));
  return nullptr;
}

Result<DwarfCode::Found> DwarfCode::function_at(Address pc) const {
  auto unit = unit_at(pc);
  if (!unit) return std::move(unit).error();
  if (!*unit) return Found{};
  unit = file_.full_unit(**unit);
  if (!unit) return std::move(unit).error();
  auto all = contents(**unit);
  if (!all) return std::move(all).error();
  Found found{*unit, *all, nullptr};
  if (const auto* piece = (*all)->by_pc.find(pc)) found.function = &(*all)->functions[piece->value];
  return found;
}

}  // namespace cgo
