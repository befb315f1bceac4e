#include "target/dwarf_line.h"

#include <algorithm>
#include <filesystem>

#include "target/dwarf_constants.h"

namespace cgo {

/// Reads one line table: its header, then the program that makes the rows.
/// Source: DWARF 5, section 6.2; DWARF 4, section 6.2.4 for the older header.
class DwarfLineProgram {
 public:
  DwarfLineProgram(const DwarfUnit& unit, ByteView section, DwarfLineTable& table)
      : unit_(unit), section_(section), table_(table) {}

  Result<void> run(std::uint64_t offset) {
    auto header = read_header(offset);
    if (!header) return header;
    execute();
    if (!program_.ok()) return malformed("the line program ends inside of an instruction");
    table_.sequences_ = IntervalMap<DwarfLineTable::Sequence>(std::move(sequences_));
    return {};
  }

 private:
  using Table = DwarfLineTable;

  Error malformed(std::string_view what) const {
    return dwarf_error({&unit_, unit_.header.offset}, "line table: " + std::string(what));
  }

  Result<void> read_header(std::uint64_t offset) {
    DwarfCursor start(section_, offset);
    std::uint64_t length = start.u32();
    shape_.header.dwarf64 = length == 0xffffffff;
    if (shape_.header.dwarf64) length = start.u64();
    if (!start.ok() || length > section_.size() - start.position())
      return malformed("it is longer than its section");
    const std::uint64_t end = start.position() + length;
    DwarfCursor in(section_.first(end), start.position());

    version_ = in.u16();
    if (version_ < 2 || version_ > 5)
      return Error{ErrorCode::unsupported,
                   malformed("").message + "version " + std::to_string(version_) + " is not known"};
    shape_.header.address_bytes = unit_.header.address_bytes;
    if (version_ >= 5) {
      shape_.header.address_bytes = in.u8();
      in.skip(1);  // Size of a segment selector.
    }
    const std::uint64_t header_length = in.offset(shape_.header.dwarf64);
    const std::uint64_t program_at = in.position() + header_length;
    if (!in.ok() || header_length > end - in.position())
      return malformed("its header is longer than it");
    instruction_bytes_ = in.u8();
    const std::uint8_t operations = version_ >= 4 ? in.u8() : 1;
    in.skip(1);  // default_is_stmt
    line_base_ = static_cast<std::int8_t>(in.u8());
    line_range_ = in.u8();
    opcode_base_ = in.u8();
    if (!in.ok() || opcode_base_ == 0) return malformed("its header makes no sense");
    if (operations > 1)
      return Error{ErrorCode::unsupported, malformed("").message + "it is for a VLIW machine"};
    lengths_ = in.block(opcode_base_ - 1u);
    auto names = version_ >= 5 ? read_names_5(in) : read_names_4(in);
    if (!names) return names;
    if (!in.ok()) return malformed("its header is cut");
    program_ = DwarfCursor(section_.first(end), program_at);
    return {};
  }

  Result<void> read_names_4(DwarfCursor& in) {
    table_.directories_.push_back(unit_.comp_dir);
    for (std::string_view name = in.text(); !name.empty(); name = in.text())
      table_.directories_.push_back(name);
    for (std::string_view name = in.text(); !name.empty(); name = in.text()) read_file_4(name, in);
    if (!in.ok()) return malformed("its list of files does not end");
    return {};
  }

  void read_file_4(std::string_view name, DwarfCursor& in) {
    const std::uint64_t directory = in.uleb();
    in.uleb();  // Time of change.
    in.uleb();  // Size.
    table_.files_.push_back({name, directory});
  }

  Result<void> read_names_5(DwarfCursor& in) {
    table_.counts_from_one_ = false;
    auto directories = read_entries(
        in, [this](std::string_view path, std::uint64_t) { table_.directories_.push_back(path); });
    if (!directories) return directories;
    return read_entries(in, [this](std::string_view path, std::uint64_t directory) {
      table_.files_.push_back({path, directory});
    });
  }

  template <class Add>
  Result<void> read_entries(DwarfCursor& in, Add&& add) {
    std::vector<DwarfAttributeSpec> format(in.u8());
    for (DwarfAttributeSpec& field : format) {
      field.name = static_cast<std::uint16_t>(std::min<std::uint64_t>(in.uleb(), 0xffff));
      field.form = static_cast<std::uint16_t>(std::min<std::uint64_t>(in.uleb(), 0xffff));
      // Each field takes bytes, so that the section bounds the number of entries.
      if (field.form == dw::FORM_flag_present || field.form == dw::FORM_implicit_const)
        return malformed("a field of its list of files has a form without bytes");
    }
    const std::uint64_t count = in.uleb();
    if (count != 0 && format.empty()) return malformed("its list of files has no fields");
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string_view path;
      std::uint64_t directory = 0;
      for (const DwarfAttributeSpec& field : format) {
        const DwarfValue value = read_field(in, field);
        if (!in.ok()) return malformed("its list of files does not end");
        if (field.name == dw::LNCT_path) {
          auto text = unit_.text(value);
          if (!text) return std::move(text).error().in("line table");
          path = *text;
        } else if (field.name == dw::LNCT_directory_index) {
          directory = unit_.number(value).value_or(0);
        }
      }
      add(path, directory);
    }
    return {};
  }

  DwarfValue read_field(DwarfCursor& in, const DwarfAttributeSpec& field) const {
    return shape_.read(in, field);
  }

  void execute() {
    while (!program_.at_end()) {
      const std::uint8_t opcode = program_.u8();
      if (opcode >= opcode_base_) {
        special(opcode);
      } else if (opcode == 0) {
        extended();
      } else {
        standard(opcode);
      }
    }
  }

  void advance(std::uint64_t operations) { address_ += operations * instruction_bytes_; }

  void special(std::uint8_t opcode) {
    if (line_range_ == 0) return program_.fail();
    const std::uint8_t adjusted = opcode - opcode_base_;
    advance(adjusted / line_range_);
    line_ += static_cast<std::uint64_t>(line_base_ + adjusted % line_range_);
    add_row();
  }

  void standard(std::uint8_t opcode) {
    switch (opcode) {
      case dw::LNS_copy:
        return add_row();
      case dw::LNS_advance_pc:
        return advance(program_.uleb());
      case dw::LNS_advance_line:
        line_ += static_cast<std::uint64_t>(program_.sleb());
        return;
      case dw::LNS_set_file:
        file_ = program_.uleb();
        return;
      case dw::LNS_const_add_pc:
        if (line_range_ == 0) return program_.fail();
        return advance((255 - opcode_base_) / line_range_);
      case dw::LNS_fixed_advance_pc:
        address_ += program_.u16();
        return;
      default:
        for (auto n = static_cast<unsigned>(lengths_[opcode - 1u]); n > 0; --n) program_.uleb();
    }
  }

  void extended() {
    const std::uint64_t length = program_.uleb();
    DwarfCursor operand(program_.block(length));
    switch (operand.u8()) {
      case dw::LNE_end_sequence:
        return end_sequence();
      case dw::LNE_set_address:
        address_ = operand.sized(shape_.header.address_bytes);
        break;
      case dw::LNE_define_file:
        read_file_4(operand.text(), operand);
        break;
      default:
        return;  // Nothing of it is needed, and its length is known.
    }
    if (!operand.ok()) program_.fail();
  }

  void add_row() {
    constexpr std::uint64_t kMostLines = 0xffffffff;
    table_.rows_.push_back({address_, static_cast<std::uint32_t>(std::min(file_, kMostLines)),
                            line_ > kMostLines ? 0 : static_cast<std::uint32_t>(line_)});
  }

  void end_sequence() {
    auto& rows = table_.rows_;
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(sequence_start_);
    const auto by_address = [](const Table::Row& a, const Table::Row& b) {
      return a.address < b.address;
    };
    // Addresses rise by the standard; where they do not, sorting is what consumers agree on.
    if (!std::is_sorted(first, rows.end(), by_address))
      std::stable_sort(first, rows.end(), by_address);
    if (first != rows.end())
      sequences_.push_back({{{first->address}, {address_}},
                            {static_cast<std::uint32_t>(sequence_start_),
                             static_cast<std::uint32_t>(rows.size() - sequence_start_)}});
    sequence_start_ = rows.size();
    address_ = 0;
    file_ = line_ = 1;
  }

  const DwarfUnit& unit_;
  ByteView section_;
  DwarfLineTable& table_;
  DwarfUnit shape_;  // Sizes of addresses and offsets in this table.
  DwarfCursor program_;
  ByteView lengths_;
  std::uint16_t version_ = 0;
  std::uint8_t instruction_bytes_ = 1, line_range_ = 0, opcode_base_ = 0;
  std::int8_t line_base_ = 0;

  std::uint64_t address_ = 0, file_ = 1, line_ = 1;
  std::size_t sequence_start_ = 0;
  std::vector<IntervalMap<Table::Sequence>::Entry> sequences_;
};

Result<DwarfLineTable> DwarfLineTable::parse(const DwarfUnit& unit) {
  DwarfLineTable table;
  table.comp_dir_ = unit.comp_dir;
  if (!unit.line_table) return table;
  // A split unit uses the table of its skeleton. Source: DWARF 5, section 3.1.3.
  const DwarfUnit& holder = unit.skeleton ? *unit.skeleton : unit;
  auto section = holder.sections().bytes(DwarfSection::line);
  if (!section) return std::move(section).error();
  auto done = DwarfLineProgram(holder, *section, table).run(*unit.line_table);
  if (!done) return std::move(done).error();
  return table;
}

std::optional<DwarfLineTable::Position> DwarfLineTable::find(Address pc) const {
  const auto* sequence = sequences_.find(pc);
  if (!sequence) return std::nullopt;
  const auto first = rows_.begin() + sequence->value.first;
  const auto last = first + sequence->value.count;
  const auto after =
      std::upper_bound(first, last, pc.value,
                       [](std::uint64_t wanted, const Row& row) { return wanted < row.address; });
  if (after == first) return std::nullopt;
  const Row& row = *std::prev(after);
  return Position{row.file, row.line};
}

std::string DwarfLineTable::path(std::uint64_t file) const {
  if (counts_from_one_ && file == 0) return {};
  const std::uint64_t index = file - (counts_from_one_ ? 1 : 0);
  if (index >= files_.size()) return {};
  const File& found = files_[index];
  std::filesystem::path path(found.name);
  const auto below = [&path](std::string_view directory) {
    if (path.is_relative()) path = std::filesystem::path(directory) / path;
  };
  if (found.directory < directories_.size()) below(directories_[found.directory]);
  // Directory 0 is the compilation directory, and the others may be relative to it.
  if (found.directory != 0) below(directories_.empty() ? comp_dir_ : directories_.front());
  return path.lexically_normal().string();
}

}  // namespace cgo
