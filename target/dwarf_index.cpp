#include "target/dwarf_index.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <string>
#include <thread>

namespace cgo {

/// Names that one thread has found.
struct DwarfIndex::Named {
  struct One {
    std::size_t text;
    std::uint32_t text_bytes;
    Place place;
  };
  std::string text;
  std::vector<One> all;
  bool full = false;

  void add(std::string_view name, Place place) {
    constexpr std::size_t kMostText = 256u << 20;
    constexpr std::size_t kLongestName = 1 << 16;
    if (name.empty() || name.size() > kLongestName) return;
    if (text.size() > kMostText) {
      full = true;
      return;
    }
    all.push_back({text.size(), static_cast<std::uint32_t>(name.size()), place});
    text += name;
  }
  std::string_view name(const One& one) const {
    return std::string_view(text).substr(one.text, one.text_bytes);
  }
};

/// What one thread has found.
struct DwarfIndex::Work {
  Named functions, structures;
  std::optional<Error> error;
};

/// Adds what `unit` defines; the reason when it cannot be read whole.
std::optional<Error> DwarfIndex::collect(const DwarfCode& code, const DwarfUnit& unit, Work& work) {
  const bool shared = unit.file != &code.file();
  const std::uint64_t header = unit.header.offset | (shared ? kInSupplement : 0);
  auto full = unit.file->full_unit(unit);
  if (!full) return std::move(full).error();
  auto contents = DwarfUnitContents::read(**full, true);
  if (!contents) return std::move(contents).error();
  for (const DwarfNamedType& type : contents->types)
    work.structures.add(type.name, {header, type.offset});
  for (const DwarfFunction& function : contents->functions) {
    auto names = function_names({*full, function.offset});
    if (!names) return std::move(names).error();
    const Place place{header, function.entry.value};
    work.functions.add(names->linkage, place);
    auto plain = names->language == Language::cxx && names->root.unit == *full
                     ? contents->qualified(**full, names->root.offset, names->name)
                     : code.plain_name(*names);
    if (!plain) return std::move(plain).error();
    if (*plain != names->linkage) work.functions.add(*plain, place);
  }
  return std::nullopt;
}

Result<DwarfIndex> DwarfIndex::build(const DwarfCode& code, unsigned threads) {
  auto own = code.file().headers();
  if (!own) return std::move(own).error();
  std::vector<Work> work(std::max(1u, threads));
  std::vector<std::pair<const DwarfFile*, std::size_t>> units;
  for (std::size_t i = 0; i < own->size(); ++i) units.emplace_back(&code.file(), i);
  if (code.file().has_supplement()) {
    auto shared = code.file().supplement();
    auto more = shared ? (*shared)->headers() : std::move(shared).error();
    if (!more) work[0].error = std::move(more).error();
    for (std::size_t i = 0; more && i < more->size(); ++i) units.emplace_back(*shared, i);
  }
  std::atomic<std::size_t> next{0};
  const auto run = [&](Work& mine) {
    try {
      for (std::size_t i = next++; i < units.size(); i = next++) {
        auto unit = units[i].first->unit(units[i].second);
        auto error = unit ? collect(code, **unit, mine) : std::optional(std::move(unit).error());
        if (error && !mine.error) mine.error = std::move(error);
      }
    } catch (const std::exception& problem) {  // Out of memory; must not leave the thread.
      mine.error = Error{ErrorCode::limit_reached, std::string("DWARF index: ") + problem.what()};
    }
  };
  std::vector<std::thread> others;
  try {
    for (std::size_t i = 1; i < work.size(); ++i) others.emplace_back(run, std::ref(work[i]));
  } catch (const std::system_error&) {
    // Fewer threads than wished for do the same work.
  }
  run(work[0]);
  for (std::thread& thread : others) thread.join();
  auto index = merge(work);
  if (index && !index->incomplete_) index->incomplete_ = code.file().broken_header();
  return index;
}

Result<DwarfIndex> DwarfIndex::merge(const std::vector<Work>& work) {
  DwarfIndex index;
  std::string text;
  std::vector<Entry> entries;
  index.header_.functions = append_sorted(work, &Work::functions, entries, text);
  index.header_.structures = append_sorted(work, &Work::structures, entries, text);
  index.header_.text_bytes = text.size();
  for (const Work& one : work) {
    if (one.error && !index.incomplete_) index.incomplete_ = one.error;
    if (one.functions.full || one.structures.full)
      index.incomplete_ = Error{ErrorCode::limit_reached, "DWARF index: too many names"};
  }
  if (text.size() > 0xffffffff)
    return Error{ErrorCode::limit_reached, "DWARF index: too many names"};

  const auto put = [&index](ByteView bytes) {
    index.bytes_.insert(index.bytes_.end(), bytes.begin(), bytes.end());
  };
  index.bytes_.reserve(sizeof(Header) + entries.size() * sizeof(Entry) + text.size());
  put(std::as_bytes(std::span(&index.header_, 1)));
  put(std::as_bytes(std::span(entries)));
  put(std::as_bytes(std::span(text)));
  return index;
}

/// Appends what all threads found to `entries`, by name; equal names share their text.
std::size_t DwarfIndex::append_sorted(const std::vector<Work>& work, Named Work::* part,
                                      std::vector<Entry>& entries, std::string& text) {
  struct Sortable {
    std::string_view name;
    Place place;
  };
  std::vector<Sortable> sorted;
  for (const Work& one : work)
    for (const Named::One& found : (one.*part).all)
      sorted.push_back({(one.*part).name(found), found.place});
  std::sort(sorted.begin(), sorted.end(), [](const Sortable& a, const Sortable& b) {
    return std::tie(a.name, a.place.unit, a.place.value) <
           std::tie(b.name, b.place.unit, b.place.value);
  });
  std::string_view last;  // No name is empty.
  for (const Sortable& one : sorted) {
    if (one.name != last) text += last = one.name;
    entries.push_back({one.place.unit, one.place.value,
                       static_cast<std::uint32_t>(text.size() - one.name.size()),
                       static_cast<std::uint32_t>(one.name.size())});
  }
  return sorted.size();
}

Result<DwarfPlace> DwarfIndex::entry_of(const DwarfFile& file, const Place& structure) {
  const DwarfFile* holder = &file;
  if (structure.unit & kInSupplement) {
    auto shared = file.supplement();
    if (!shared) return std::move(shared).error();
    holder = *shared;
  }
  auto unit = holder->unit_with_header_at(structure.unit & ~kInSupplement);
  if (unit) unit = holder->full_unit(**unit);
  if (!unit) return std::move(unit).error();
  return DwarfPlace{*unit, structure.value};
}

Result<DwarfIndex> DwarfIndex::from_bytes(std::vector<std::byte> bytes) {
  DwarfIndex index;
  index.bytes_ = std::move(bytes);
  const auto header = load<Header>(index.bytes_, 0);
  const std::uint64_t room = index.bytes_.size();
  if (!header || header->functions > room || header->structures > room ||
      header->text_bytes > room ||
      sizeof(Header) + (header->functions + header->structures) * sizeof(Entry) +
              header->text_bytes !=
          room)
    return Error{ErrorCode::malformed_data, "DWARF index: its parts do not add up"};
  index.header_ = *header;
  return index;
}

DwarfIndex::Entry DwarfIndex::entry(std::uint64_t index) const {
  return load<Entry>(bytes_, sizeof(Header) + index * sizeof(Entry)).value_or(Entry{});
}

std::string_view DwarfIndex::text(const Entry& entry) const {
  const std::uint64_t begin =
      sizeof(Header) + (header_.functions + header_.structures) * sizeof(Entry) + entry.text;
  const auto found = slice(bytes_, begin, entry.text_bytes);
  if (!found) return {};
  return {reinterpret_cast<const char*>(found->data()), found->size()};
}

std::vector<DwarfIndex::Place> DwarfIndex::find(std::string_view name, std::uint64_t first,
                                                std::uint64_t count) const {
  std::uint64_t low = first, high = first + count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (text(entry(middle)) < name)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<Place> out;
  for (; low < first + count; ++low) {
    const Entry found = entry(low);
    if (text(found) != name) break;
    out.push_back({found.unit, found.value});
  }
  return out;
}

std::vector<DwarfIndex::Place> DwarfIndex::functions(std::string_view name) const {
  return find(name, 0, header_.functions);
}

std::vector<DwarfIndex::Place> DwarfIndex::structures(std::string_view name) const {
  return find(name, header_.functions, header_.structures);
}

}  // namespace cgo
