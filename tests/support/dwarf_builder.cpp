#include "support/dwarf_builder.h"

#include <cstring>

namespace cgo {
namespace {

template <class Integer>
void append(std::vector<std::byte>& out, Integer value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
  out.push_back(std::byte{0});
}

void set32(std::vector<std::byte>& out, std::size_t at, std::size_t value) {
  const auto narrow = static_cast<std::uint32_t>(value);
  std::memcpy(out.data() + at, &narrow, sizeof narrow);
}

}  // namespace

void append_uleb(std::vector<std::byte>& out, std::uint64_t value) {
  do {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    out.push_back(std::byte(value ? low | 0x80 : low));
  } while (value);
}

std::uint64_t DwarfBuilder::unit(const Die& root, std::uint8_t type) {
  const std::size_t start = info_.size();
  append(info_, std::uint32_t{0});
  append(info_, version_);
  if (version_ >= 5) {
    append(info_, type);
    append(info_, std::uint8_t{8});
    append(info_, static_cast<std::uint32_t>(abbrev_.size()));
  } else {
    append(info_, static_cast<std::uint32_t>(abbrev_.size()));
    append(info_, std::uint8_t{8});
  }
  next_code_ = 1;
  die(root, start);
  abbrev_.push_back(std::byte{0});
  set32(info_, start, info_.size() - start - 4);
  for (const Fixup& fixup : fixups_)
    set32(info_, fixup.at, labels_.at(fixup.label) - fixup.unit_start);
  fixups_.clear();
  return start;
}

void DwarfBuilder::die(const Die& die, std::size_t unit_start) {
  if (!die.label.empty()) labels_[die.label] = info_.size();
  append_uleb(abbrev_, next_code_);
  append_uleb(info_, next_code_++);
  append_uleb(abbrev_, die.tag);
  abbrev_.push_back(std::byte{!die.children.empty()});
  for (const Attribute& attribute : die.attributes) {
    append_uleb(abbrev_, attribute.name);
    append_uleb(abbrev_, attribute.form);
    value(attribute, unit_start);
  }
  append(abbrev_, std::uint16_t{0});
  for (const Die& child : die.children) this->die(child, unit_start);
  if (!die.children.empty()) info_.push_back(std::byte{0});
}

void DwarfBuilder::value(const Attribute& attribute, std::size_t unit_start) {
  if (const auto* text = std::get_if<std::string>(&attribute.value))
    return append_text(info_, *text);
  if (const auto* to = std::get_if<To>(&attribute.value)) {
    fixups_.push_back({info_.size(), unit_start, to->label});
    return append(info_, std::uint32_t{0});
  }
  if (const auto* block = std::get_if<std::vector<std::byte>>(&attribute.value)) {
    append_uleb(info_, block->size());
    info_.insert(info_.end(), block->begin(), block->end());
    return;
  }
  const std::uint64_t number = std::get<std::uint64_t>(attribute.value);
  switch (attribute.form) {
    case dw::FORM_addr:
    case dw::FORM_data8:
    case dw::FORM_ref_sig8:
      return append(info_, number);
    case dw::FORM_sec_offset:
    case dw::FORM_strp:
    case dw::FORM_line_strp:
    case dw::FORM_data4:
    case dw::FORM_ref4:
    case dw::FORM_ref_addr:
      return append(info_, static_cast<std::uint32_t>(number));
    case dw::FORM_data2:
      return append(info_, static_cast<std::uint16_t>(number));
    case dw::FORM_data1:
    case dw::FORM_strx1:
    case dw::FORM_addrx1:
      return append(info_, static_cast<std::uint8_t>(number));
    case dw::FORM_flag_present:
      return;
    default:
      return append_uleb(info_, number);
  }
}

DwarfBuilder::Sections DwarfBuilder::sections(const Sections& others) const {
  Sections all = others;
  all[".debug_info"] = info_;
  all[".debug_abbrev"] = abbrev_;
  return all;
}

std::vector<std::byte> elf_with(const DwarfBuilder::Sections& sections,
                                const std::vector<ElfBuilder::Symbol>& symbols) {
  ElfBuilder elf;
  elf.segment({.flags = 5, .address = {0x1000}, .contents = {}, .memory_bytes = 0x8000});
  elf.section({.name = ".text",
               .type = 8,  // Without contents, as in a separate debug file.
               .flags = 6,
               .address = {0x1000},
               .contents = {},
               .claimed_bytes = 0x8000});
  for (const auto& [name, contents] : sections)
    elf.section({.name = name, .address = {}, .contents = contents});
  if (!symbols.empty()) elf.symbols(symbols);
  return elf.build();
}

std::vector<std::byte> line_section(std::uint16_t version, const std::vector<LineRowSpec>& rows,
                                    std::uint64_t end) {
  std::vector<std::byte> out;
  append(out, std::uint32_t{0});
  append(out, version);
  if (version >= 5) append(out, std::uint16_t{8});  // Address and selector sizes.
  const std::size_t header_length = out.size();
  append(out, std::uint32_t{0});
  append(out, std::uint8_t{1});                    // Bytes of an instruction.
  if (version >= 4) append(out, std::uint8_t{1});  // Operations of an instruction.
  append(out, std::uint8_t{1});                    // default_is_stmt
  append(out, std::int8_t{-5});                    // line_base
  append(out, std::uint8_t{14});                   // line_range
  append(out, std::uint8_t{10});                   // opcode_base
  for (const int arguments : {0, 1, 1, 1, 1, 0, 0, 0, 1})
    out.push_back(static_cast<std::byte>(arguments));
  if (version >= 5) {
    for (const int byte : {1, int{dw::LNCT_path}, int{dw::FORM_string}, 2})
      out.push_back(static_cast<std::byte>(byte));
    append_text(out, "/build");
    append_text(out, "src");
    for (const int byte : {2, int{dw::LNCT_path}, int{dw::FORM_string},
                           int{dw::LNCT_directory_index}, int{dw::FORM_udata}, 3})
      out.push_back(static_cast<std::byte>(byte));
    for (const char* name : {"one.c", "one.c", "two.c"}) {
      append_text(out, name);
      out.push_back(std::byte{1});
    }
  } else {
    append_text(out, "src");
    out.push_back(std::byte{0});
    for (const char* name : {"one.c", "two.c"}) {
      append_text(out, name);
      for (const int byte : {1, 0, 0}) out.push_back(static_cast<std::byte>(byte));
    }
    out.push_back(std::byte{0});
  }
  set32(out, header_length, out.size() - header_length - 4);
  const auto set_address = [&](std::uint64_t address) {
    out.push_back(std::byte{0});
    out.push_back(std::byte{9});
    out.push_back(std::byte{dw::LNE_set_address});
    append(out, address);
  };
  std::uint64_t line = 1;
  for (const LineRowSpec& row : rows) {
    set_address(row.address);
    out.push_back(std::byte{dw::LNS_set_file});
    append_uleb(out, row.file);
    out.push_back(std::byte{dw::LNS_advance_line});
    // Differences of tests fit into a byte.
    out.push_back(static_cast<std::byte>((row.line - line) & 0x7f));
    line = row.line;
    out.push_back(std::byte{dw::LNS_copy});
  }
  set_address(end);
  for (const int byte : {0, 1, int{dw::LNE_end_sequence}})
    out.push_back(static_cast<std::byte>(byte));
  set32(out, 0, out.size() - 4);
  return out;
}

}  // namespace cgo
