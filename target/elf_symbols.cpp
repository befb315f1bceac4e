#include "target/elf_symbols.h"

#include <elf.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <tuple>

namespace cgo {
namespace {

struct RawTable {
  ByteView entries;
  ByteView names;
};

/// The symbol table in a section of this type, or nothing when there is none that fits in the file.
std::optional<RawTable> table_in_sections(ByteView file, const ElfLayout& layout,
                                          std::uint32_t type) {
  for (std::size_t i = 0; i < layout.sections.size(); ++i) {
    if (layout.sections[i].type != type) continue;
    const std::uint32_t link = layout.links[i].link;
    if (link >= layout.sections.size()) continue;
    const auto entries = stored_bytes(file, layout.sections[i]);
    const auto names = stored_bytes(file, layout.sections[link]);
    if (entries && names && !entries->empty()) return RawTable{*entries, *names};
  }
  return std::nullopt;
}

/// The file bytes from a file address to the end of its PT_LOAD segment.
ByteView rest_of_segment(ByteView file, const ElfLayout& layout, std::uint64_t address) {
  for (const ElfSegment& segment : layout.segments) {
    if (segment.type != PT_LOAD || address < segment.file_address.value) continue;
    const ByteView part = stored_bytes(file, segment);
    const std::uint64_t offset = address - segment.file_address.value;
    if (offset < part.size()) return part.subspan(offset);
  }
  return {};
}

/// How many symbols a DT_GNU_HASH table covers: the dynamic section does not say.
/// Source: glibc elf/dl-lookup.c, do_lookup_x (layout of the table).
std::uint64_t count_by_gnu_hash(ByteView hash) {
  struct Header {
    std::uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  };
  const auto header = load<Header>(hash, 0);
  if (!header) return 0;
  const std::uint64_t buckets_at = sizeof(Header) + std::uint64_t{header->bloom_words} * 8;
  const std::uint64_t chains_at = buckets_at + std::uint64_t{header->buckets} * 4;
  std::uint32_t last = 0;
  for (std::uint64_t i = 0; i < header->buckets; ++i) {
    const auto bucket = load<std::uint32_t>(hash, buckets_at + i * 4);
    if (!bucket) return 0;
    last = std::max(last, *bucket);
  }
  if (last < header->first_symbol) return header->first_symbol;
  for (std::uint64_t i = last;; ++i) {
    const auto chain = load<std::uint32_t>(hash, chains_at + (i - header->first_symbol) * 4);
    if (!chain) return 0;
    if (*chain & 1) return i + 1;
  }
}

/// File addresses, as the link editor wrote them; 0 for those that are absent.
struct DynamicEntries {
  std::uint64_t symbols = 0, strings = 0, string_bytes = 0, sysv_hash = 0, gnu_hash = 0;
};

DynamicEntries dynamic_entries(ByteView file, const ElfLayout& layout) {
  DynamicEntries found;
  for (const ElfSegment& segment : layout.segments) {
    if (segment.type != PT_DYNAMIC) continue;
    // By address: a file rebuilt from memory may hold the segment elsewhere than p_offset says.
    const ByteView bytes = rest_of_segment(file, layout, segment.file_address.value);
    for (std::uint64_t at = 0; at < segment.memory_bytes; at += sizeof(Elf64_Dyn)) {
      const auto entry = load<Elf64_Dyn>(bytes, at);
      if (!entry || entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_SYMTAB) found.symbols = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRTAB) found.strings = entry->d_un.d_ptr;
      if (entry->d_tag == DT_STRSZ) found.string_bytes = entry->d_un.d_val;
      if (entry->d_tag == DT_HASH) found.sysv_hash = entry->d_un.d_ptr;
      if (entry->d_tag == DT_GNU_HASH) found.gnu_hash = entry->d_un.d_ptr;
    }
    break;
  }
  return found;
}

/// The dynamic symbols of a file without section headers.
std::optional<RawTable> table_in_dynamic(ByteView file, const ElfLayout& layout) {
  const DynamicEntries dynamic = dynamic_entries(file, layout);
  ByteView entries = rest_of_segment(file, layout, dynamic.symbols);
  ByteView names = rest_of_segment(file, layout, dynamic.strings);
  std::uint64_t count = 0;
  if (dynamic.sysv_hash)  // nbucket, nchain: one chain entry per symbol.
    count = load<std::uint32_t>(rest_of_segment(file, layout, dynamic.sysv_hash), 4).value_or(0);
  else if (dynamic.gnu_hash)
    count = count_by_gnu_hash(rest_of_segment(file, layout, dynamic.gnu_hash));
  if (count == 0 || entries.empty() || names.empty()) return std::nullopt;
  count = std::min<std::uint64_t>(count, entries.size() / sizeof(Elf64_Sym));
  names = names.first(std::min<std::uint64_t>(names.size(), dynamic.string_bytes));
  return RawTable{entries.first(count * sizeof(Elf64_Sym)), names};
}

std::optional<RawTable> find_table(ByteView file, const ElfLayout& layout) {
  if (auto table = table_in_sections(file, layout, SHT_SYMTAB)) return table;
  if (auto table = table_in_sections(file, layout, SHT_DYNSYM)) return table;
  return table_in_dynamic(file, layout);
}

/// Symbols that name a place or a thing of the program.
bool wanted(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE;
}

bool is_function_type(std::uint8_t type) { return type == STT_FUNC || type == STT_GNU_IFUNC; }

/// Of two names for the same code the better one is larger: functions before bare labels, known
/// sizes before unknown ones, exported names before local ones, "malloc" before "__libc_malloc".
auto preference(const ElfSymbol& symbol) {
  const int binding = symbol.binding == STB_GLOBAL ? 2 : symbol.binding == STB_WEAK ? 1 : 0;
  const auto underscores = std::min(symbol.name.find_first_not_of('_'), symbol.name.size());
  return std::tuple(is_function_type(symbol.type), symbol.bytes != 0, binding,
                    -static_cast<long>(underscores));
}

}  // namespace

void ElfSymbolTable::read() const {
  const auto table = find_table(file_, layout_);
  if (!table) return;
  const std::size_t count =
      std::min<std::uint64_t>(table->entries.size() / sizeof(Elf64_Sym), 0xfffffffeu);
  struct Row {
    ElfSymbol symbol;
    std::uint32_t section;
  };
  std::vector<Row> rows;
  rows.reserve(count);
  // Names may overlap in the string table, but far less than this in any real one. Without a bound
  // a table of long tails costs the square of its size.
  std::uint64_t budget = 16 * table->names.size() + 64 * count;
  for (std::size_t i = 0; i < count; ++i) {
    const auto raw = *load<Elf64_Sym>(table->entries, i * sizeof(Elf64_Sym));
    if (!wanted(raw)) continue;
    const auto name = c_string(table->names, raw.st_name, budget);
    if (!name || name->empty()) continue;
    budget -= name->size();
    rows.push_back({.symbol = {.name = *name,
                               .file_address = {raw.st_value},
                               .bytes = raw.st_size,
                               .type = static_cast<std::uint8_t>(ELF64_ST_TYPE(raw.st_info)),
                               .binding = static_cast<std::uint8_t>(ELF64_ST_BIND(raw.st_info))},
                    .section = raw.st_shndx});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.symbol.file_address < b.symbol.file_address;
  });
  symbols_.reserve(rows.size());
  sections_.reserve(rows.size());
  for (const Row& row : rows) {
    symbols_.push_back(row.symbol);
    sections_.push_back(row.section);
  }
}

std::span<const ElfSymbol> ElfSymbolTable::by_address() const {
  std::call_once(read_once_, [this] { read(); });
  return symbols_;
}

bool ElfSymbolTable::is_code(std::size_t symbol) const {
  const std::uint8_t type = symbols_[symbol].type;
  if (!is_function_type(type) && type != STT_NOTYPE) return false;
  const std::uint32_t section = sections_[symbol];
  // Without section headers (a file rebuilt from memory) the symbol's own type must do.
  if (section >= layout_.sections.size()) return layout_.sections.empty();
  return (layout_.sections[section].flags & SHF_EXECINSTR) != 0;
}

std::optional<std::size_t> ElfSymbolTable::best_name(std::size_t begin, std::size_t end) const {
  std::optional<std::size_t> best;
  for (std::size_t i = begin; i < end; ++i)
    if (is_code(i) && (!best || preference(symbols_[i]) > preference(symbols_[*best]))) best = i;
  return best;
}

void ElfSymbolTable::index_functions() const {
  const auto symbols = by_address();
  // Where the next symbol of the same section begins, for those that do not say their size.
  std::vector<Address> next_in_section;
  for (const ElfSection& section : layout_.sections)
    next_in_section.push_back(checked_add(section.file_address, section.bytes).value_or(Address{}));
  std::vector<IntervalMap<std::uint32_t>::Entry> entries;
  // Groups of equal addresses, from the highest address down.
  for (std::size_t end = symbols.size(), begin; end > 0; end = begin) {
    begin = end - 1;
    const Address address = symbols[begin].file_address;
    while (begin > 0 && symbols[begin - 1].file_address == address) --begin;
    if (const auto best = best_name(begin, end)) {
      std::optional<Address> stop = checked_add(address, symbols[*best].bytes);
      if (symbols[*best].bytes == 0 && sections_[*best] < next_in_section.size())
        stop = next_in_section[sections_[*best]];
      if (stop) entries.push_back({{address, *stop}, static_cast<std::uint32_t>(*best)});
    }
    for (std::size_t i = begin; i < end; ++i)
      if (sections_[i] < next_in_section.size()) next_in_section[sections_[i]] = address;
  }
  functions_ = IntervalMap<std::uint32_t>(std::move(entries));
}

const ElfSymbol* ElfSymbolTable::function_at(Address file_address) const {
  std::call_once(functions_once_, [this] { index_functions(); });
  const auto* piece = functions_.find(file_address);
  return piece ? &symbols_[piece->value] : nullptr;
}

const ElfSymbol* ElfSymbolTable::object_at(Address file_address) const {
  constexpr std::ptrdiff_t kMostLookedAt = 64;  // Objects do not lie in each other; labels may.
  const auto symbols = by_address();
  const auto after = std::upper_bound(
      symbols.begin(), symbols.end(), file_address,
      [](Address wanted, const ElfSymbol& symbol) { return wanted < symbol.file_address; });
  const auto first = after - std::min(after - symbols.begin(), kMostLookedAt);
  for (auto at = after; at != first;) {
    --at;
    const auto end = checked_add(at->file_address, at->bytes);
    if (at->type == STT_OBJECT && end && file_address < *end) return &*at;
  }
  return nullptr;
}

void ElfSymbolTable::index_names() const {
  const auto symbols = by_address();
  std::vector<std::uint32_t> slots(std::bit_ceil(symbols.size() * 2 + 1));
  const std::size_t mask = slots.size() - 1;
  for (std::uint32_t i = 0; i < symbols.size(); ++i) {
    std::size_t at = std::hash<std::string_view>{}(symbols[i].name) & mask;
    while (slots[at] != 0 && symbols[slots[at] - 1].name != symbols[i].name) at = (at + 1) & mask;
    if (slots[at] == 0) slots[at] = i + 1;
  }
  names_ = std::move(slots);
}

const ElfSymbol* ElfSymbolTable::find(std::string_view name) const {
  std::call_once(names_once_, [this] { index_names(); });
  const std::size_t mask = names_.size() - 1;
  for (std::size_t at = std::hash<std::string_view>{}(name)&mask; names_[at] != 0;
       at = (at + 1) & mask) {
    const ElfSymbol& symbol = symbols_[names_[at] - 1];
    if (symbol.name == name) return &symbol;
  }
  return nullptr;
}

}  // namespace cgo
