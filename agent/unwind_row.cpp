#include "agent/unwind_row.h"

#include "agent/byte_cursor.h"

namespace cgo::agent {
namespace {

/// DW_EH_PE_…, those that linkers write on amd64.
constexpr std::uint8_t kPcRelativeS4 = 0x1b, kDataRelativeS4 = 0x3b, kU4 = 0x03;

struct Cie {
  std::uint64_t code_factor = 1;
  std::int64_t data_factor = 1;
  std::uint64_t return_register = kDwarfPc;
  std::uint8_t pointer_encoding = 0;  // DW_EH_PE_absptr
  bool augmented = false, signal_frame = false;
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
};

const std::uint8_t* bytes_at(std::uint64_t address) {
  return reinterpret_cast<const std::uint8_t*>(address);
}

/// A CIE or an FDE: what follows its length, up to its end within the file.
ByteCursor entry_at(const LoadedFile& file, std::uint64_t at) {
  ByteCursor none(nullptr, nullptr);
  if (at < file.begin || at + 4 > file.end) return none;
  std::uint32_t bytes;
  std::memcpy(&bytes, bytes_at(at), sizeof(bytes));
  if (bytes == 0 || bytes >= 0xfffffff0u || bytes > file.end - at - 4) return none;
  return {bytes_at(at + 4), bytes_at(at + 4 + bytes)};
}

/// A pointer of an FDE; `base` of pc-relative ones is where it is written.
std::uint64_t pointer(ByteCursor& cursor, std::uint8_t encoding) {
  const auto here = reinterpret_cast<std::uint64_t>(cursor.at());
  std::uint64_t value = 0;
  switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
      value = cursor.fixed<std::uint64_t>();
      break;
    case 0x03:
      value = cursor.fixed<std::uint32_t>();
      break;
    case 0x0b:
      value = static_cast<std::uint64_t>(std::int64_t{cursor.fixed<std::int32_t>()});
      break;
    default:
      cursor.take(~std::uint64_t{0});  // Not understood.
  }
  if ((encoding & 0x70) == 0x10) value += here;
  return value;
}

bool read_augmentation(ByteCursor& cursor, const char* letters, Cie& cie) {
  if (*letters == '\0') return true;
  if (*letters != 'z') return false;
  cie.augmented = true;
  const std::uint64_t bytes = cursor.uleb();
  const std::uint8_t* data = cursor.take(bytes);
  if (data == nullptr) return false;
  ByteCursor inside(data, data + bytes);
  for (++letters; *letters != '\0' && inside.ok(); ++letters) {
    if (*letters == 'R')
      cie.pointer_encoding = inside.fixed<std::uint8_t>();
    else if (*letters == 'L')
      inside.fixed<std::uint8_t>();
    else if (*letters == 'S')
      cie.signal_frame = true;
    else if (*letters == 'P')
      pointer(inside, inside.fixed<std::uint8_t>());
    else if (*letters != 'B')
      return false;
  }
  return inside.ok();
}

bool read_cie(const LoadedFile& file, std::uint64_t at, Cie& cie) {
  ByteCursor cursor = entry_at(file, at);
  cie.end = cursor.at() + cursor.left();
  const auto id = cursor.fixed<std::uint32_t>();
  const auto version = cursor.fixed<std::uint8_t>();
  if (!cursor.ok() || id != 0 || (version != 1 && version != 3)) return false;
  const auto* letters = reinterpret_cast<const char*>(cursor.at());
  while (cursor.ok() && cursor.fixed<std::uint8_t>() != 0) {
  }
  cie.code_factor = cursor.uleb();
  cie.data_factor = cursor.sleb();
  cie.return_register = version == 1 ? cursor.fixed<std::uint8_t>() : cursor.uleb();
  if (!cursor.ok() || !read_augmentation(cursor, letters, cie)) return false;
  cie.begin = cursor.at();
  return cursor.ok();
}

/// Runs the instructions of one function up to one pc.
class RowProgram {
 public:
  RowProgram(const Cie& cie, std::uint64_t begin, std::uint64_t pc, UnwindRow& row)
      : cie_(cie), pc_(pc), at_(begin), row_(row) {}

  /// False when an instruction is not understood. `initial` is what DW_CFA_restore goes back to.
  bool run(const std::uint8_t* from, const std::uint8_t* to, const UnwindRow& initial) {
    ByteCursor cursor(from, to);
    while (cursor.more() && at_ <= pc_) {
      const auto code = cursor.fixed<std::uint8_t>();
      const unsigned low = code & 0x3f;
      bool known = true;
      switch (code >> 6) {
        case 1:
          at_ += low * cie_.code_factor;
          break;
        case 2:
          set(low, {ValueRule::Kind::offset, scaled(cursor.uleb()), {}});
          break;
        case 3:
          restore(low, initial);
          break;
        default:
          known = extended(code, cursor, initial);
      }
      if (!known || !cursor.ok()) return false;
    }
    return cursor.ok();
  }

 private:
  static constexpr unsigned kMostRemembered = 8;

  std::int64_t scaled(std::uint64_t value) const {
    return static_cast<std::int64_t>(value) * cie_.data_factor;
  }

  ValueRule* rule_of(std::uint64_t number) {
    if (number == kDwarfBp) return &row_.bp;
    if (number == kDwarfSp) return &row_.sp;
    return number == cie_.return_register ? &row_.pc : nullptr;
  }

  void set(std::uint64_t number, ValueRule rule) {
    ValueRule* target = rule_of(number);
    if (target == nullptr) return;
    *target = rule;
    if (target == &row_.sp) row_.sp_is_cfa = false;
  }

  void restore(std::uint64_t number, const UnwindRow& initial) {
    if (number == kDwarfBp) row_.bp = initial.bp;
    if (number == cie_.return_register) row_.pc = initial.pc;
    if (number != kDwarfSp) return;
    row_.sp = initial.sp;
    row_.sp_is_cfa = initial.sp_is_cfa;
  }

  static Bytes block(ByteCursor& cursor) {
    const std::uint64_t bytes = cursor.uleb();
    return {cursor.take(bytes), bytes};
  }

  void define_cfa(std::uint64_t number, std::int64_t offset) {
    row_.cfa_by_expression = false;
    row_.cfa_register = static_cast<unsigned>(number);
    row_.cfa_offset = offset;
  }

  bool extended(unsigned code, ByteCursor& cursor, const UnwindRow& initial) {
    using Kind = ValueRule::Kind;
    switch (code) {
      case 0x00:  // nop
        return true;
      case 0x02:
        at_ += cursor.fixed<std::uint8_t>() * cie_.code_factor;
        return true;
      case 0x03:
        at_ += cursor.fixed<std::uint16_t>() * cie_.code_factor;
        return true;
      case 0x04:
        at_ += cursor.fixed<std::uint32_t>() * cie_.code_factor;
        return true;
      case 0x06:
        restore(cursor.uleb(), initial);
        return true;
      case 0x0a:
        if (remembered_ == kMostRemembered) return false;
        kept_[remembered_++] = row_;
        return true;
      case 0x0b:
        if (remembered_ == 0) return false;
        row_ = kept_[--remembered_];
        return true;
      case 0x0c: {
        const std::uint64_t number = cursor.uleb();
        define_cfa(number, static_cast<std::int64_t>(cursor.uleb()));
        return true;
      }
      case 0x0d:
        define_cfa(cursor.uleb(), row_.cfa_offset);
        return true;
      case 0x0e:
        define_cfa(row_.cfa_register, static_cast<std::int64_t>(cursor.uleb()));
        return true;
      case 0x0f:
        row_.cfa_by_expression = true;
        row_.cfa_expression = block(cursor);
        return true;
      case 0x12: {
        const std::uint64_t number = cursor.uleb();
        define_cfa(number, cursor.sleb() * cie_.data_factor);
        return true;
      }
      case 0x13:
        define_cfa(row_.cfa_register, cursor.sleb() * cie_.data_factor);
        return true;
      case 0x2e:  // GNU_args_size
        cursor.uleb();
        return true;
      default:
        break;
    }
    const std::uint64_t number = cursor.uleb();  // The others begin with a register.
    switch (code) {
      case 0x05:
        set(number, {Kind::offset, scaled(cursor.uleb()), {}});
        return true;
      case 0x07:
        set(number, {Kind::undefined, 0, {}});
        return true;
      case 0x08:
        set(number, {Kind::same, 0, {}});
        return true;
      case 0x09:
        cursor.uleb();
        set(number, {Kind::other, 0, {}});
        return true;
      case 0x10:
        set(number, {Kind::expression, 0, block(cursor)});
        return true;
      case 0x11:
        set(number, {Kind::offset, cursor.sleb() * cie_.data_factor, {}});
        return true;
      case 0x14:
        set(number, {Kind::val_offset, scaled(cursor.uleb()), {}});
        return true;
      case 0x15:
        set(number, {Kind::val_offset, cursor.sleb() * cie_.data_factor, {}});
        return true;
      case 0x16:
        set(number, {Kind::val_expression, 0, block(cursor)});
        return true;
      default:
        return false;
    }
  }

  const Cie& cie_;
  std::uint64_t pc_, at_;
  UnwindRow& row_;
  UnwindRow kept_[kMostRemembered];
  unsigned remembered_ = 0;
};

/// The FDE that may cover `pc`, by the sorted table of .eh_frame_hdr; 0: none.
std::uint64_t fde_for(const LoadedFile& file, std::uint64_t pc) {
  struct Entry {
    std::int32_t pc, fde;  // From the table's begin.
  };
  const std::uint64_t begin = file.unwind_table;
  if (begin < file.begin || begin + 12 > file.end) return 0;
  const std::uint8_t* table = bytes_at(begin);
  if (table[0] != 1 || table[1] != kPcRelativeS4 || table[2] != kU4 || table[3] != kDataRelativeS4)
    return 0;
  std::uint32_t count;
  std::memcpy(&count, table + 8, sizeof(count));
  if (count == 0 || count > (file.end - begin - 12) / sizeof(Entry)) return 0;
  const auto* entries = reinterpret_cast<const Entry*>(table + 12);
  const auto wanted = static_cast<std::int64_t>(pc - begin);
  std::uint32_t low = 0, high = count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (entries[middle].pc <= wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? 0 : begin + static_cast<std::uint64_t>(std::int64_t{entries[low - 1].fde});
}

}  // namespace

bool unwind_row_at(const LoadedFile& file, std::uint64_t pc, UnwindRow& row) {
  const std::uint64_t at = fde_for(file, pc);
  if (at == 0) return false;
  ByteCursor fde = entry_at(file, at);
  const std::uint8_t* end = fde.at() + fde.left();
  const auto back = fde.fixed<std::uint32_t>();  // From here to the CIE.
  Cie cie;
  if (!fde.ok() || !read_cie(file, at + 4 - back, cie)) return false;
  const std::uint64_t begin = pointer(fde, cie.pointer_encoding);
  const std::uint64_t bytes = pointer(fde, cie.pointer_encoding & 0x0f);
  if (!fde.ok() || pc < begin || pc - begin >= bytes) return false;
  if (cie.augmented) fde.take(fde.uleb());
  if (!fde.ok()) return false;

  row = {};
  row.signal_frame = cie.signal_frame;
  RowProgram program(cie, begin, pc, row);
  if (!program.run(cie.begin, cie.end, row)) return false;
  const UnwindRow initial = row;
  return program.run(fde.at(), end, initial);
}

}  // namespace cgo::agent
