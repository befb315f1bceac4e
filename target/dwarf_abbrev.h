#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "target/byte_view.h"
#include "target/result.h"

namespace cgo {

struct DwarfAttributeSpec {
  std::uint16_t name = 0;
  std::uint16_t form = 0;
  std::int64_t implicit_const = 0;
};

/// The shape of a debugging entry: its tag and the forms of its attributes.
struct DwarfAbbrev {
  std::uint32_t tag = 0;
  bool has_children = false;
  bool has_sibling = false;
  /// Set when the size of the values is known without reading them: it is `fixed_bytes` plus so
  /// many addresses and so many offsets of the unit's size.
  bool fixed = false;
  std::uint32_t fixed_bytes = 0;
  std::uint16_t addresses = 0;
  std::uint16_t offsets = 0;
  std::uint32_t first_spec = 0;
  std::uint32_t spec_count = 0;
};

/// One table of .debug_abbrev. Immutable once parsed.
class DwarfAbbrevTable {
 public:
  /// Parses the table at `offset`; `bytes_used` receives how long it is. malformed_data when it
  /// does not end inside of the section, or when a code comes twice.
  static Result<DwarfAbbrevTable> parse(ByteView section, std::uint64_t offset,
                                        std::uint64_t& bytes_used);

  /// Null when the table has no such code.
  const DwarfAbbrev* find(std::uint64_t code) const {
    if (code - 1 < dense_.size()) return &dense_[code - 1];
    if (sparse_.empty()) return nullptr;
    const auto found = sparse_.find(code);
    return found == sparse_.end() ? nullptr : &found->second;
  }
  std::span<const DwarfAttributeSpec> specs(const DwarfAbbrev& abbrev) const {
    return std::span(specs_).subspan(abbrev.first_spec, abbrev.spec_count);
  }

 private:
  std::vector<DwarfAbbrev> dense_;  // Codes 1, 2, 3 ... as every compiler numbers them.
  std::unordered_map<std::uint64_t, DwarfAbbrev> sparse_;
  std::vector<DwarfAttributeSpec> specs_;
};

}  // namespace cgo
