#pragma once

#include "target/dwarf_constants.h"
#include "target/dwarf_unit.h"

namespace cgo {

/// Visits an entry and all below it in file order, in one pass and without recursion, so that depth
/// costs nothing and every step moves forward. Where a visit wants no children, skip_children().
class DwarfScan {
 public:
  /// From the entry at `from`, to the end of its children.
  explicit DwarfScan(DwarfPlace from) : unit_(*from.unit), cursor_(unit_.info, from.offset) {}

  /// The next entry, or null at the end and after an error.
  const DwarfDie* next() {
    if (done_ || error_) return nullptr;
    leave();
    for (;;) {
      if (started_ && level_ == 0) break;
      const std::uint64_t at = cursor_.position();
      if (at >= unit_.header.end) {
        // Producers leave the last end marks out; a first entry that is not there is an error.
        if (!started_) error_ = dwarf_error({&unit_, at}, "no entry begins here");
        break;
      }
      const std::uint64_t code = cursor_.uleb();
      if (code == 0 && cursor_.ok()) {
        if (level_ == 0) break;
        --level_;
        continue;
      }
      const DwarfAbbrev* abbrev = cursor_.ok() ? unit_.abbrevs->find(code) : nullptr;
      if (!abbrev) {
        error_ = dwarf_error({&unit_, at}, "abbreviation " + hex(code) + " is not defined");
        return nullptr;
      }
      die_ = {&unit_, at, cursor_.position(), abbrev};
      depth_ = level_;
      if (abbrev->has_children) ++level_;
      started_ = pending_ = true;
      return &die_;
    }
    done_ = true;
    return nullptr;
  }

  /// How far below the first entry the last one is.
  std::uint32_t depth() const { return depth_; }

  /// Reads the attributes of the last entry: `visit(name, value)`.
  template <class Visit>
  void attributes(Visit&& visit) {
    const auto end = die_.attributes(visit);
    if (!end) return too_long();
    cursor_ = DwarfCursor(unit_.info, *end);
    pending_ = false;
  }

  /// Makes next() go on behind the children of the last entry.
  void skip_children() {
    if (!die_.abbrev->has_children || level_ != depth_ + 1) return;
    if (die_.abbrev->has_sibling && jump_to_sibling()) {
      --level_;
      return;
    }
    while (!error_ && level_ > depth_ && next_raw()) {
    }
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  void too_long() { error_ = dwarf_error(die_.place(), "the attributes do not fit into the unit"); }

  /// Moves behind the attributes of the last entry, when nobody has read them.
  void leave() {
    if (!pending_) return;
    pending_ = false;
    unit_.skip(cursor_, *die_.abbrev);
    if (!cursor_.ok()) too_long();
  }

  bool jump_to_sibling() {
    std::optional<std::uint64_t> sibling;
    attributes([&](std::uint16_t name, const DwarfValue& value) {
      // References inside of the unit alone, so no other unit is read here.
      if (name == dw::AT_sibling && value.number < unit_.header.end - unit_.header.offset)
        sibling = unit_.header.offset + value.number;
    });
    if (error_ || !sibling || *sibling < cursor_.position()) return false;
    cursor_ = DwarfCursor(unit_.info, *sibling);
    return true;
  }

  /// next(), but keeps depth_ and die_ of the entry whose children are skipped.
  bool next_raw() {
    const DwarfDie kept = die_;
    const std::uint32_t kept_depth = depth_;
    leave();
    while (!error_) {
      const std::uint64_t at = cursor_.position();
      if (at >= unit_.header.end) {
        level_ = 0;
        return false;
      }
      const std::uint64_t code = cursor_.uleb();
      if (code == 0 && cursor_.ok()) {
        --level_;
        return level_ > kept_depth;
      }
      const DwarfAbbrev* abbrev = cursor_.ok() ? unit_.abbrevs->find(code) : nullptr;
      if (!abbrev) {
        error_ = dwarf_error({&unit_, at}, "abbreviation " + hex(code) + " is not defined");
        return false;
      }
      unit_.skip(cursor_, *abbrev);
      if (!cursor_.ok()) error_ = dwarf_error(kept.place(), "an entry does not fit into the unit");
      if (abbrev->has_children) ++level_;
    }
    return false;
  }

  const DwarfUnit& unit_;
  DwarfCursor cursor_;
  DwarfDie die_;
  std::uint32_t depth_ = 0;  // Of die_.
  std::uint32_t level_ = 0;  // Of the entry that comes next.
  bool started_ = false, pending_ = false, done_ = false;
  std::optional<Error> error_;
};

}  // namespace cgo
