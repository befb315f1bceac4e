#pragma once

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "support/elf_builder.h"
#include "target/dwarf_constants.h"

namespace cgo {

/// Sections of DWARF from entries that a test writes down as a tree.
class DwarfBuilder {
 public:
  /// A reference to the entry with this label, in the same unit.
  struct To {
    std::string label;
  };
  struct Attribute {
    std::uint16_t name;
    std::uint16_t form;
    std::variant<std::uint64_t, std::string, To, std::vector<std::byte>> value;
  };
  struct Die {
    std::uint32_t tag;
    std::vector<Attribute> attributes;
    std::vector<Die> children = {};
    std::string label = {};
  };

  explicit DwarfBuilder(std::uint16_t version = 5) : version_(version) {}

  /// Appends a unit; gives the offset of its header.
  std::uint64_t unit(const Die& root, std::uint8_t type = dw::UT_compile);
  /// Where the entry with this label begins in .debug_info.
  std::uint64_t offset(const std::string& label) const { return labels_.at(label); }

  /// .debug_info and .debug_abbrev, and what else the test has put into `others`.
  using Sections = std::map<std::string, std::vector<std::byte>>;
  Sections sections(const Sections& others = {}) const;

  // Short forms of the attributes that tests need most.
  static Attribute text(std::uint16_t name, std::string value) {
    return {name, dw::FORM_string, std::move(value)};
  }
  static Attribute number(std::uint16_t name, std::uint64_t value) {
    return {name, dw::FORM_udata, value};
  }
  static Attribute address(std::uint16_t name, std::uint64_t value) {
    return {name, dw::FORM_addr, value};
  }
  static Attribute offset(std::uint16_t name, std::uint64_t value) {
    return {name, dw::FORM_sec_offset, value};
  }
  static Attribute flag(std::uint16_t name) { return {name, dw::FORM_flag_present, 1u}; }
  static Attribute ref(std::uint16_t name, std::string label) {
    return {name, dw::FORM_ref4, To{std::move(label)}};
  }

 private:
  void die(const Die& die, std::size_t unit_start);
  void value(const Attribute& attribute, std::size_t unit_start);

  std::uint16_t version_;
  std::vector<std::byte> info_, abbrev_;
  std::uint64_t next_code_ = 1;
  std::map<std::string, std::uint64_t> labels_;
  struct Fixup {
    std::size_t at, unit_start;
    std::string label;
  };
  std::vector<Fixup> fixups_;
};

/// LEB128, as DWARF has it.
void append_uleb(std::vector<std::byte>& out, std::uint64_t value);

/// An ELF file with these sections, a loaded executable segment from 0x1000 to 0x9000, and symbols.
std::vector<std::byte> elf_with(const DwarfBuilder::Sections& sections,
                                const std::vector<ElfBuilder::Symbol>& symbols = {});

/// A row of a line table.
struct LineRowSpec {
  std::uint64_t address;
  std::uint64_t file;
  std::uint64_t line;
};

/// A .debug_line with one table: files "one.c" and "two.c" in directory "src", numbered 1 and 2,
/// and one sequence of `rows` that ends at `end`.
std::vector<std::byte> line_section(std::uint16_t version, const std::vector<LineRowSpec>& rows,
                                    std::uint64_t end);

}  // namespace cgo
