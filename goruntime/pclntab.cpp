#include "goruntime/pclntab.h"

#include <algorithm>

#include "goruntime/pc_value.h"
#include "target/byte_view.h"

namespace cgo {

/// runtime._func, as far as it is needed here.
/// Source: src/runtime/runtime2.go, type _func; startLine since 1.20.
struct FuncRecord {
  std::uint32_t entry_offset = 0, name_offset = 0;
  std::uint32_t args = 0, deferreturn = 0;
  std::uint32_t pcsp = 0, pcfile = 0, pcln = 0;
  std::uint32_t npcdata = 0, cu_offset = 0, start_line = 0;
  std::uint8_t func_id = 0, nfuncdata = 0;
  std::uint64_t tail = 0;  ///< Where the pcdata offsets start, in pclntable.
};

namespace {

constexpr std::size_t kFtabRowBytes = 8;
constexpr std::uint32_t kArgsUnknown = 0x80000000;  // abi.ArgsSizeUnknown
constexpr std::int32_t kPointerBytes = 8;           // No 32-bit CPU is supported.
constexpr std::uint32_t kPcdataInlTreeIndex = 2;
constexpr std::uint32_t kFuncdataInlTree = 3;
/// Deeper inlining than the compiler's budget can produce is a damaged tree.
constexpr std::size_t kMaxInlineDepth = 1000;
constexpr std::size_t kMaxNameBytes = 64 * 1024;

std::uint32_t func_header_bytes(GoVersion version) { return version.minor >= 20 ? 44 : 40; }

std::optional<FuncRecord> decode_func(ByteView pclntable, std::uint64_t offset, GoVersion version) {
  const std::uint32_t size = func_header_bytes(version);
  if (offset > pclntable.size() || pclntable.size() - offset < size) return std::nullopt;
  const auto header = pclntable.subspan(offset, size);
  const auto word = [&](std::size_t at) { return *load<std::uint32_t>(header, at); };
  FuncRecord out;
  out.entry_offset = word(0);
  out.name_offset = word(4);
  out.args = word(8);
  out.deferreturn = word(12);
  out.pcsp = word(16);
  out.pcfile = word(20);
  out.pcln = word(24);
  out.npcdata = word(28);
  out.cu_offset = word(32);
  if (version.minor >= 20) out.start_line = word(36);
  out.func_id = std::to_integer<std::uint8_t>(header[size - 4]);
  out.nfuncdata = std::to_integer<std::uint8_t>(header[size - 1]);
  out.tail = offset + size;
  return out;
}

/// The text from `offset` to its NUL, or nothing: also when the table is damaged so that it is
/// longer than any name.
std::optional<std::string_view> string_at(ByteView table, std::uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  return c_string(table.subspan(offset, std::min(table.size() - offset, kMaxNameBytes)), 0);
}

Error damaged(const GoFunction& function, std::string_view what, Address pc) {
  return Error{
      ErrorCode::malformed_data,
      "pclntab of " + std::string(function.name) + ": " + std::string(what) + " at pc " + hex(pc),
      pc};
}

/// Where FUNCDATA number `index` of the function lies, from gofunc on; nothing when it has none.
std::optional<std::uint32_t> funcdata_offset(ByteView pclntable, const FuncRecord& record,
                                             std::uint32_t index) {
  if (index >= record.nfuncdata) return std::nullopt;
  const std::uint64_t slot = record.tail + 4 * (std::uint64_t{record.npcdata} + index);
  const auto offset = load<std::uint32_t>(pclntable, slot);
  if (!offset || *offset == ~std::uint32_t{0}) return std::nullopt;
  return offset;
}

}  // namespace

FuncId GoModule::func_id(std::uint8_t number) const {
  const auto ids = func_ids_for(version_);
  return number < ids.size() ? ids[number] : FuncId::unknown;
}

std::optional<std::string_view> GoModule::name_at(std::uint32_t offset) const {
  return string_at(tables_.funcnametab, offset);
}

/// One more than there are functions.
std::size_t GoModule::rows() const {
  return std::min<std::uint64_t>(tables_.ftab_entries, tables_.ftab.size() / kFtabRowBytes);
}

void GoModule::each_function(const std::function<void(const GoFunction&)>& visit) const {
  const std::size_t count = rows();
  for (std::size_t row = 0; row + 1 < count; ++row)
    if (const auto function = function_in_row(row)) visit(*function);
}

std::optional<GoFunction> GoModule::function_in_row(std::size_t row) const {
  const auto entry = load<std::uint32_t>(tables_.ftab, row * kFtabRowBytes);
  const auto offset = load<std::uint32_t>(tables_.ftab, row * kFtabRowBytes + 4);
  const auto next = load<std::uint32_t>(tables_.ftab, (row + 1) * kFtabRowBytes);
  if (!entry || !offset || !next || *next < *entry) return std::nullopt;
  const auto record = decode_func(tables_.pclntable, *offset, version_);
  // The entry is stored twice; a table that contradicts itself is not believed.
  if (!record || record->entry_offset != *entry) return std::nullopt;
  const auto name = name_at(record->name_offset);
  const auto begin = checked_add(tables_.text, *entry);
  const auto end = checked_add(tables_.text, *next);
  if (!name || !begin || !end) return std::nullopt;
  return GoFunction{
      .module = this,
      .entry = *begin,
      .end = *end,
      .name = *name,
      .id = func_id(record->func_id),
      .offset = *offset,
      .start_line = record->start_line,
      .argument_bytes = record->args == kArgsUnknown ? std::nullopt : std::optional(record->args),
      .recovery =
          record->deferreturn == 0 ? Address{} : wrapping_add(*begin, record->deferreturn + 1ull)};
}

std::optional<GoFunction> GoModule::function_at(Address pc) const {
  if (!contains(pc) || pc < tables_.text) return std::nullopt;
  const std::uint64_t offset = pc.value - tables_.text.value;
  const std::size_t count = rows();
  // The first row that starts after pc; the one before it covers pc.
  std::size_t low = 0, high = count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (*load<std::uint32_t>(tables_.ftab, middle * kFtabRowBytes) <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  // The last row only ends the one before.
  if (low == 0 || low >= count) return std::nullopt;
  return function_in_row(low - 1);
}

std::optional<GoFunction> GoModule::find_function_named(std::string_view name) const {
  if (name.empty() || name.find('\0') != name.npos) return std::nullopt;
  const std::string_view names(reinterpret_cast<const char*>(tables_.funcnametab.data()),
                               tables_.funcnametab.size());
  // Names are stored once, so that one search in the names and one over numbers is enough.
  std::size_t at = 0;
  while ((at = names.find(name, at)) != names.npos) {
    const bool whole = (at == 0 || names[at - 1] == '\0') && at + name.size() < names.size() &&
                       names[at + name.size()] == '\0';
    if (whole) break;
    ++at;
  }
  if (at == names.npos) return std::nullopt;
  const std::size_t count = rows();
  for (std::size_t row = 0; row + 1 < count; ++row) {
    const auto offset = load<std::uint32_t>(tables_.ftab, row * kFtabRowBytes + 4);
    if (load<std::uint32_t>(tables_.pclntable, std::uint64_t{*offset} + 4) == at)
      return function_in_row(row);
  }
  return std::nullopt;
}

std::optional<GoFunction> GoModule::function_named(std::string_view name) const {
  const std::lock_guard lock(names_mutex_);
  auto known = functions_by_name_.find(name);
  if (known == functions_by_name_.end())
    known = functions_by_name_.emplace(std::string(name), find_function_named(name)).first;
  return known->second;
}

Result<std::int32_t> GoModule::value_at(std::uint32_t table, const GoFunction& function,
                                        Address pc) const {
  if (table == 0) return -1;
  if (pc < function.entry) return damaged(function, "pc before the entry", pc);
  if (table >= tables_.pctab.size())
    return damaged(function, "pc-value table outside of pctab", pc);
  const auto value = pc_value_at(tables_.pctab.subspan(table), pc.value - function.entry.value,
                                 tables_.minimum_instruction_bytes);
  if (!value) return damaged(function, "pc-value table does not cover the pc", pc);
  return *value;
}

Result<std::uint32_t> GoModule::frame_bytes(const GoFunction& function, Address pc) const {
  const auto record = decode_func(tables_.pclntable, function.offset, version_);
  if (!record) return damaged(function, "_func lies outside of the table", pc);
  auto value = value_at(record->pcsp, function, pc);
  if (!value) return std::move(value).error().in("pcsp");
  // Multiples of the pointer size; no frame is as large as the largest stack (1 GB).
  if (*value < 0 || *value % kPointerBytes != 0 || *value > (1 << 30))
    return damaged(function, "frame of " + std::to_string(*value) + " bytes", pc);
  return static_cast<std::uint32_t>(*value);
}

Result<std::int32_t> GoModule::pcdata(const GoFunction& function, std::uint32_t table,
                                      Address pc) const {
  const auto record = decode_func(tables_.pclntable, function.offset, version_);
  if (!record) return damaged(function, "_func lies outside of the table", pc);
  if (table >= record->npcdata) return -1;
  const auto offset = load<std::uint32_t>(tables_.pclntable, record->tail + 4ull * table);
  if (!offset) return damaged(function, "pcdata outside of the table", pc);
  return value_at(*offset, function, pc);
}

std::string_view GoModule::file_of(const FuncRecord& record, std::int32_t number) const {
  if (number < 0) return {};
  const std::uint64_t index = std::uint64_t{record.cu_offset} + static_cast<std::uint32_t>(number);
  const auto offset = load<std::uint32_t>(tables_.cutab, 4 * index);
  if (!offset || *offset == ~std::uint32_t{0}) return {};
  return string_at(tables_.filetab, *offset).value_or(std::string_view{});
}

Result<GoModule::Position> GoModule::position_at(const GoFunction& function,
                                                 const FuncRecord& record, Address pc) const {
  auto file = value_at(record.pcfile, function, pc);
  if (!file) return std::move(file).error().in("pcfile");
  auto line = value_at(record.pcln, function, pc);
  if (!line) return std::move(line).error().in("pcln");
  if (*file < 0 || *line < 0) return Position{};
  return Position{file_of(record, *file), static_cast<std::uint32_t>(*line)};
}

Result<std::vector<GoSourceFrame>> GoModule::source_frames(const GoFunction& function,
                                                           Address pc) const {
  const auto record = decode_func(tables_.pclntable, function.offset, version_);
  if (!record) return damaged(function, "_func lies outside of the table", pc);
  if (checked_add(pc, 1) == function.entry) pc = function.entry;
  auto position = position_at(function, *record, pc);
  if (!position) return std::move(position).error();

  std::vector<GoSourceFrame> frames;
  const auto tree = funcdata_offset(tables_.pclntable, *record, kFuncdataInlTree);
  if (tree) {
    auto done = add_inlined(function, *record, *tree, pc, *position, frames);
    if (!done) return std::move(done).error();
  }
  frames.push_back({.function = function.name,
                    .file = position->file,
                    .line = position->line,
                    .inlined = false,
                    .id = function.id});
  return frames;
}

Result<void> GoModule::add_inlined(const GoFunction& function, const FuncRecord& record,
                                   std::uint32_t tree, Address pc, Position& position,
                                   std::vector<GoSourceFrame>& frames) const {
  auto index = pcdata(function, kPcdataInlTreeIndex, pc);
  if (!index) return std::move(index).error().in("inline tree index");
  while (*index >= 0) {
    if (frames.size() >= kMaxInlineDepth) return damaged(function, "endless inline tree", pc);
    const auto call = inlined_call(tree, static_cast<std::uint32_t>(*index));
    if (!call) return damaged(function, "inline tree cannot be read", pc);
    const auto name = name_at(call->name_offset);
    if (!name) return damaged(function, "inlined function without a name", pc);
    frames.push_back({.function = *name,
                      .file = position.file,
                      .line = position.line,
                      .inlined = true,
                      .id = func_id(call->func_id)});
    if (call->outer) {
      position = {file_of(record, call->outer->file), call->outer->line};
      index = call->outer->parent;
      continue;
    }
    const auto parent_pc = checked_add(function.entry, call->parent_pc);
    if (!parent_pc) return damaged(function, "inline tree leaves the address space", pc);
    auto outer = position_at(function, record, *parent_pc);
    if (!outer) return std::move(outer).error();
    position = *outer;
    index = pcdata(function, kPcdataInlTreeIndex, *parent_pc);
    if (!index) return std::move(index).error().in("inline tree index");
  }
  return {};
}

/// Source: src/runtime/symtab.go of 1.19, type inlinedCall; src/runtime/symtabinl.go of 1.21 on
/// (the same type is in symtab.go of 1.20). Up to 1.19 an entry says where it was called and which
/// entry is its caller; since 1.20 it gives a pc of the caller, at which everything is looked up
/// again.
std::optional<GoModule::InlinedCall> GoModule::inlined_call(std::uint32_t tree,
                                                            std::uint32_t index) const {
  const bool by_parent_pc = version_.minor >= 20;
  const std::uint64_t bytes = by_parent_pc ? 16 : 20;
  const std::uint64_t at = tree + bytes * index;
  const auto& table = tables_.gofunc_bytes;
  if (at > table.size() || table.size() - at < bytes) return std::nullopt;
  const auto entry = table.subspan(at, bytes);
  const auto word = [&](std::size_t offset) { return *load<std::uint32_t>(entry, offset); };
  InlinedCall call;
  if (by_parent_pc) {
    call.func_id = std::to_integer<std::uint8_t>(entry[0]);
    call.name_offset = word(4);
    call.parent_pc = word(8);
  } else {
    call.func_id = std::to_integer<std::uint8_t>(entry[2]);
    call.name_offset = word(12);
    call.outer = {.parent = *load<std::int16_t>(entry, 0),
                  .file = static_cast<std::int32_t>(word(4)),
                  .line = word(8)};
  }
  return call;
}

std::span<const std::byte> GoModule::funcdata(const GoFunction& function,
                                              std::uint32_t index) const {
  const auto record = decode_func(tables_.pclntable, function.offset, version_);
  const auto offset = record ? funcdata_offset(tables_.pclntable, *record, index) : std::nullopt;
  if (!offset || *offset >= tables_.gofunc_bytes.size()) return {};
  return tables_.gofunc_bytes.subspan(*offset);
}

}  // namespace cgo
