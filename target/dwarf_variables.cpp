#include "target/dwarf_variables.h"

#include <algorithm>
#include <set>

#include "target/dwarf_constants.h"
#include "target/dwarf_locations.h"
#include "target/dwarf_ranges.h"
#include "target/dwarf_scan.h"
#include "target/dwarf_variable_entry.h"

namespace cgo {
namespace {

constexpr std::size_t kMostVariables = 1 << 14;

bool is_variable(std::uint32_t tag) {
  return tag == dw::TAG_formal_parameter || tag == dw::TAG_variable || tag == dw::TAG_constant;
}

/// Reads the variables of one function or inlined call that are in scope at a pc.
class ScopeReader {
 public:
  ScopeReader(const DwarfTypes& types, Address pc) : types_(types), pc_(pc) {}

  Result<std::vector<Variable>> read(DwarfPlace function) {
    auto done = scan(function);
    if (!done) return std::move(done).error();
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      done = inherit(blocks_[i]);
      if (!done) return std::move(done).error();
    }
    return ordered();
  }

 private:
  /// The function itself, or a lexical block in it that covers the pc.
  struct Block {
    std::uint32_t die_depth = 0;
    unsigned depth = 0;
    Address begin;
    std::optional<DwarfPlace> origin;
  };
  struct Found {
    Variable variable;
    std::uint64_t order;  ///< Of parameters: where the first of their origins is.
  };

  Result<void> scan(DwarfPlace function) {
    DwarfScan scan(function);
    std::vector<std::size_t> open;  // Indices of blocks_.
    while (const DwarfDie* die = scan.next()) {
      while (!open.empty() && blocks_[open.back()].die_depth >= scan.depth()) open.pop_back();
      if (scan.depth() == 0 || die->tag() == dw::TAG_lexical_block) {
        auto covers = open_block(scan, *die, open);
        if (!covers) return std::move(covers).error();
        if (!*covers) scan.skip_children();
        continue;
      }
      if (is_variable(die->tag()) && scan.depth() == blocks_[open.back()].die_depth + 1) {
        auto done = add(die->place(), die->tag(), blocks_[open.back()]);
        if (!done) return done;
      }
      scan.skip_children();  // Inlined calls have scopes of their own.
    }
    if (scan.error()) return *scan.error();
    return {};
  }

  Result<bool> open_block(DwarfScan& scan, const DwarfDie& die, std::vector<std::size_t>& open) {
    DwarfPcAttributes pcs;
    DwarfValue origin;
    scan.attributes([&](std::uint16_t name, const DwarfValue& value) {
      pcs.take(name, value);
      if (name == dw::AT_abstract_origin) origin = value;
    });
    Block block{.die_depth = scan.depth(),
                .depth = open.empty() ? 0 : blocks_[open.back()].depth + 1};
    if (pcs) {
      std::vector<AddressRange> ranges;
      auto done = append_ranges(*die.unit, pcs, budget_, ranges);
      if (!done) return std::move(done).error();
      const bool covers = std::any_of(ranges.begin(), ranges.end(),
                                      [this](const auto& range) { return range.contains(pc_); });
      if (!covers && scan.depth() > 0) return false;
      if (!ranges.empty()) block.begin = ranges.front().begin;
    }
    if (origin) {
      auto place = die.unit->reference(origin);
      if (!place) return std::move(place).error();
      block.origin = *place;
    }
    open.push_back(blocks_.size());
    blocks_.push_back(block);
    return true;
  }

  /// What compilers leave out of an instance because it has no place there is still a variable of
  /// the function. Source: DWARF 5, section 3.3.8.3 (an instance owns what differs).
  Result<void> inherit(const Block& block) {
    if (!block.origin) return {};
    auto function = read_die(*block.origin);
    if (!function) return std::move(function).error();
    const bool same_kind = block.depth == 0 ? function->tag() == dw::TAG_subprogram
                                            : function->tag() == dw::TAG_lexical_block;
    if (!same_kind) return {};
    DwarfScan scan(*block.origin);
    while (const DwarfDie* die = scan.next()) {
      if (scan.depth() == 0) continue;
      if (is_variable(die->tag())) {
        auto done = add(die->place(), die->tag(), block, true);
        if (!done) return done;
      }
      scan.skip_children();
    }
    if (scan.error()) return *scan.error();
    return {};
  }

  Result<void> add(DwarfPlace place, std::uint32_t tag, const Block& block,
                   bool inherited = false) {
    if (parameters_.size() + locals_.size() >= kMostVariables)
      return dwarf_error(place, "the function has too many variables");
    auto entry = DwarfVariableEntry::read(place);
    if (!entry) {
      locals_.push_back({{.depth = block.depth, .error = std::move(entry).error()}, place.offset});
      return {};
    }
    if (!seen_.insert({entry->root.unit, entry->root.offset}).second && inherited) return {};
    if (!entry->name || (entry->declaration && !entry->location)) return {};
    Found found{entry->variable(types_, pc_, budget_), entry->root.offset};
    Variable& variable = found.variable;
    // "this" is written nowhere, but meant by who writes a member's name.
    const bool go = language_of(*place.unit) == Language::go;
    if (entry->artificial && !go && variable.name != "this") return {};
    if (!started(*entry, block)) return {};
    variable.depth = block.depth;
    variable.parameter = tag == dw::TAG_formal_parameter;
    (variable.parameter ? parameters_ : locals_).push_back(std::move(found));
    return {};
  }

  /// Whether the scope of the variable has begun. Source: DWARF 5, section 4.1, item 8.
  bool started(const DwarfVariableEntry& entry, const Block& block) const {
    if (!entry.start_scope) return true;
    const auto bytes = entry.start_scope.unit->number(entry.start_scope.value);
    if (!bytes || entry.start_scope.value.form == dw::FORM_sec_offset) return true;
    return pc_.value >= block.begin.value + *bytes;
  }

  std::vector<Variable> ordered() {
    if (!blocks_.empty() && blocks_.front().origin)
      std::stable_sort(parameters_.begin(), parameters_.end(),
                       [](const Found& a, const Found& b) { return a.order < b.order; });
    std::stable_sort(locals_.begin(), locals_.end(), [](const Found& a, const Found& b) {
      return a.variable.depth > b.variable.depth;
    });
    std::vector<Variable> out;
    for (auto* part : {&parameters_, &locals_})
      for (Found& found : *part) out.push_back(std::move(found.variable));
    return out;
  }

  const DwarfTypes& types_;
  Address pc_;
  std::uint64_t budget_ = 1 << 20;
  std::vector<Block> blocks_;
  std::vector<Found> parameters_, locals_;
  std::set<std::pair<const DwarfUnit*, std::uint64_t>> seen_;
};

Result<DwarfExpression> frame_base(DwarfPlace function, Address pc) {
  auto die = read_die(function);
  if (!die) return std::move(die).error();
  DwarfValue base;
  die->attributes([&](std::uint16_t name, const DwarfValue& value) {
    if (name == dw::AT_frame_base) base = value;
  });
  std::uint64_t budget = 1 << 20;
  return location_at(*function.unit, base, pc, budget);
}

}  // namespace

Result<std::vector<Scope>> find_scopes(const DwarfCode& code, const DwarfTypes& types, Address pc) {
  auto found = code.function_at(pc);
  if (!found) return std::move(found).error();
  if (!found->unit) return std::vector<Scope>{};
  const Language language = language_of(*found->unit);
  if (!found->function) {  // Assembly: a symbol, but nothing is known of it.
    auto frames = code.frames_at(pc);
    if (!frames) return std::move(frames).error();
    return std::vector<Scope>(frames->size(), Scope{.language = language});
  }
  const DwarfPlace function{found->unit, found->function->offset};
  auto chain = DwarfCode::chain_at(*found, pc);
  if (!chain) return std::move(chain).error();
  auto base = frame_base(function, pc);
  if (!base) return std::move(base).error().in("frame base");
  std::vector<Scope> scopes;
  for (auto place = chain->rbegin(); place != chain->rend(); ++place) {
    auto variables = ScopeReader(types, pc).read(*place);
    if (!variables) return std::move(variables).error();
    scopes.push_back({*std::move(variables), *base, language, found->function->entry});
  }
  return scopes;
}

}  // namespace cgo
