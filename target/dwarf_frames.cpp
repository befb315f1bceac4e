#include <algorithm>

#include "target/demangle.h"
#include "target/dwarf_code.h"
#include "target/dwarf_constants.h"
#include "target/dwarf_ranges.h"
#include "target/dwarf_scan.h"

namespace cgo {
namespace {

/// An inlined call that covers the pc, or the function itself at the start of the chain.
struct Level {
  DwarfPlace place;
  std::uint64_t call_file = 0;
  std::uint32_t call_line = 0;
};

/// The function and the inlined calls at `pc`, outermost first.
Result<std::vector<Level>> inline_chain(DwarfPlace function, Address pc) {
  std::vector<Level> chain{{function}};
  std::uint64_t budget = 1 << 20;
  std::vector<AddressRange> ranges;
  std::uint32_t depth = 0;  // Of the innermost level.
  DwarfScan scan(function);
  while (const DwarfDie* die = scan.next()) {
    if (scan.depth() == 0) continue;
    if (chain.size() > 1 && scan.depth() <= depth) break;  // Behind the innermost level.
    if (die->tag() == dw::TAG_subprogram) scan.skip_children();
    if (die->tag() != dw::TAG_inlined_subroutine) continue;
    DwarfPcAttributes pcs;
    Level level{.place = die->place()};
    scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
      pcs.take(name, value);
      if (name == dw::AT_call_file) level.call_file = function.unit->number(value).value_or(0);
      if (name == dw::AT_call_line)
        level.call_line = static_cast<std::uint32_t>(function.unit->number(value).value_or(0));
    });
    ranges.clear();
    auto done = append_ranges(*function.unit, pcs, budget, ranges);
    if (!done) return std::move(done).error();
    const bool covers = std::any_of(ranges.begin(), ranges.end(),
                                    [pc](const AddressRange& range) { return range.contains(pc); });
    if (!covers) {
      scan.skip_children();
      continue;
    }
    chain.push_back(level);
    depth = scan.depth();
  }
  if (scan.error()) return *scan.error();
  return chain;
}

}  // namespace

Result<std::vector<DwarfPlace>> DwarfCode::chain_at(const Found& found, Address pc) {
  auto chain = inline_chain({found.unit, found.function->offset}, pc);
  if (!chain) return std::move(chain).error();
  std::vector<DwarfPlace> places;
  for (const Level& level : *chain) places.push_back(level.place);
  return places;
}

Result<std::string> DwarfCode::plain_name(const DwarfNames& names) const {
  if (names.language != Language::cxx) return std::string(names.name);
  auto all = contents(*names.root.unit);
  if (!all) return std::move(all).error();
  return (*all)->qualified(*names.root.unit, names.root.offset, names.name);
}

Result<SourceFrame> DwarfCode::named_frame(DwarfPlace place) const {
  auto names = function_names(place);
  if (!names) return std::move(names).error();
  SourceFrame frame{.linkage_name = std::string(names->linkage), .language = names->language};
  if (auto readable = demangle(names->linkage)) {
    frame.function = *std::move(readable);
    return frame;
  }
  if (names->name.empty()) {
    frame.function = frame.linkage_name;
    return frame;
  }
  auto plain = plain_name(*names);
  if (!plain) return std::move(plain).error();
  frame.function = *std::move(plain);
  return frame;
}

/// gcc gives C++ functions that are local to a file no linkage name, but they have a symbol, which
/// tells their parameters.
Result<void> DwarfCode::add_symbol(DwarfPlace place, Address entry, SourceFrame& frame) const {
  if (frame.language != Language::cxx || !frame.linkage_name.empty()) return {};
  const ElfSymbol* symbol = file_.sections().file().symbol_at(entry);
  if (!symbol || symbol->file_address != entry) return {};
  auto names = function_names(place);
  if (!names) return std::move(names).error();
  // The symbol may be that of another function with equal code, which the linker has merged.
  // A clone's suffix (".constprop.0") says how gcc compiled it, not what it is.
  auto readable = demangle(symbol->name.substr(0, symbol->name.find('.')));
  const std::string_view name = names->name.substr(0, names->name.find('<'));
  if (!readable || name.empty() || readable->find(name) == std::string::npos) return {};
  frame.linkage_name = std::string(symbol->name);
  frame.function = *std::move(readable);
  return {};
}

Result<std::vector<SourceFrame>> DwarfCode::frames_at(Address pc) const {
  std::call_once(prefetch_once_, [this] { file_.sections().prefetch(DwarfSection::line); });
  auto found = function_at(pc);
  if (!found) return std::move(found).error();
  if (!found->unit) return std::vector<SourceFrame>{};
  auto table = lines(*found->unit);
  if (!table) return std::move(table).error();
  const auto row = (*table)->find(pc);
  auto position = row.value_or(DwarfLineTable::Position{});
  if (!found->function) {
    if (!row) return std::vector<SourceFrame>{};  // Padding between functions.
    // Assembly: lines, but often no entries for functions. The symbol table has the name. Where
    // neither knows a function it is padding.
    SourceFrame frame{.file = (*table)->path(position.file),
                      .line = position.line,
                      .language = language_of(*found->unit)};
    if (const ElfSymbol* symbol = file_.sections().file().symbol_at(pc)) {
      frame.function = std::string(symbol->name);
      frame.entry = symbol->file_address;
    } else if (!found->contents->functions.empty()) {
      return std::vector<SourceFrame>{};
    }
    return std::vector{std::move(frame)};
  }
  auto chain = inline_chain({found->unit, found->function->offset}, pc);
  if (!chain) return std::move(chain).error();
  std::vector<SourceFrame> frames;
  for (auto level = chain->rbegin(); level != chain->rend(); ++level) {
    auto frame = named_frame(level->place);
    if (!frame) return std::move(frame).error();
    if (level->place.offset == found->function->offset) {
      auto added = add_symbol(level->place, found->function->entry, *frame);
      if (!added) return std::move(added).error();
    }
    frame->file = (*table)->path(position.file);
    frame->line = position.line;
    frame->inlined = std::next(level) != chain->rend();
    frame->entry = found->function->entry;
    frames.push_back(*std::move(frame));
    position = {level->call_file, level->call_line};
  }
  return frames;
}

}  // namespace cgo
