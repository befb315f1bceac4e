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
  Named named[kNamedParts];
  std::vector<Keyed> keyed[kKeyedParts];
  std::optional<Error> error;

  void add(Part part, const DwarfNamed& found, std::uint64_t unit) {
    named[part].add(found.name, {unit, found.offset});
    const KeyedPart by = part == kVariables ? kAddresses : kDescriptors;
    if (found.number) keyed[by].push_back({*found.number, unit, found.offset});
  }
};

/// Adds what `unit` defines; the reason when it cannot be read whole.
std::optional<Error> DwarfIndex::collect(const DwarfCode& code, const DwarfUnit& unit, Work& work) {
  const bool shared = unit.file != &code.file();
  const std::uint64_t header = unit.header.offset | (shared ? kInSupplement : 0);
  auto full = unit.file->full_unit(unit);
  if (!full) return std::move(full).error();
  auto contents = DwarfUnitContents::read(**full, true);
  if (!contents) return std::move(contents).error();
  for (const DwarfNamed& type : contents->types) work.add(kStructures, type, header);
  for (const DwarfNamed& type : contents->other_types) work.add(kOtherTypes, type, header);
  for (const DwarfNamed& variable : contents->variables) work.add(kVariables, variable, header);
  for (const DwarfFunction& function : contents->functions) {
    auto names = function_names({*full, function.offset});
    if (!names) return std::move(names).error();
    const Place place{header, function.entry.value};
    work.named[kFunctions].add(names->linkage, place);
    auto plain = names->language == Language::cxx && names->root.unit == *full
                     ? contents->qualified(**full, names->root.offset, names->name)
                     : code.plain_name(*names);
    if (!plain) return std::move(plain).error();
    if (*plain != names->linkage) work.named[kFunctions].add(*plain, place);
  }
  return contents->nameless;
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

Result<DwarfIndex> DwarfIndex::merge(std::vector<Work>& work) {
  DwarfIndex index;
  std::string text;
  std::vector<Entry> entries;
  std::vector<Keyed> keyed;
  for (const Part part : {kFunctions, kStructures, kOtherTypes, kVariables})
    index.header_.named[part] = append_sorted(work, part, entries, text);
  for (const KeyedPart part : {kDescriptors, kAddresses})
    index.header_.keyed[part] = append_keyed(work, part, keyed);
  index.header_.text_bytes = text.size();
  for (const Work& one : work) {
    if (one.error && !index.incomplete_) index.incomplete_ = one.error;
    for (const Named& part : one.named)
      if (part.full)
        index.incomplete_ = Error{ErrorCode::limit_reached, "DWARF index: too many names"};
  }
  if (text.size() > 0xffffffff)
    return Error{ErrorCode::limit_reached, "DWARF index: too many names"};

  const auto put = [&index](ByteView bytes) {
    index.bytes_.insert(index.bytes_.end(), bytes.begin(), bytes.end());
  };
  index.bytes_.reserve(sizeof(Header) + entries.size() * sizeof(Entry) +
                       keyed.size() * sizeof(Keyed) + text.size());
  put(std::as_bytes(std::span(&index.header_, 1)));
  put(std::as_bytes(std::span(entries)));
  put(std::as_bytes(std::span(keyed)));
  put(std::as_bytes(std::span(text)));
  return index;
}

/// Appends what all threads found to `entries`, by name; equal names share their text.
std::size_t DwarfIndex::append_sorted(const std::vector<Work>& work, Part part,
                                      std::vector<Entry>& entries, std::string& text) {
  // "int" and the typedefs of headers are in every unit.
  constexpr std::size_t kMostOfOneName = 4;
  struct Sortable {
    std::string_view name;
    Place place;
  };
  std::vector<Sortable> sorted;
  for (const Work& one : work)
    for (const Named::One& found : one.named[part].all)
      sorted.push_back({one.named[part].name(found), found.place});
  std::sort(sorted.begin(), sorted.end(), [](const Sortable& a, const Sortable& b) {
    return std::tie(a.name, a.place.unit, a.place.value) <
           std::tie(b.name, b.place.unit, b.place.value);
  });
  std::string_view last;  // No name is empty.
  std::size_t of_last = 0, appended = 0;
  for (const Sortable& one : sorted) {
    if (one.name != last) {
      text += last = one.name;
      of_last = 0;
    }
    if (part == kOtherTypes && ++of_last > kMostOfOneName) continue;
    entries.push_back({one.place.unit, one.place.value,
                       static_cast<std::uint32_t>(text.size() - one.name.size()),
                       static_cast<std::uint32_t>(one.name.size())});
    ++appended;
  }
  return appended;
}

/// Appends what all threads found, by key; of equal keys the first place alone.
std::size_t DwarfIndex::append_keyed(std::vector<Work>& work, KeyedPart part,
                                     std::vector<Keyed>& entries) {
  std::vector<Keyed> all;
  for (Work& one : work) all.insert(all.end(), one.keyed[part].begin(), one.keyed[part].end());
  std::sort(all.begin(), all.end(), [](const Keyed& a, const Keyed& b) {
    return std::tie(a.key, a.unit, a.value) < std::tie(b.key, b.unit, b.value);
  });
  const auto end = std::unique(all.begin(), all.end(),
                               [](const Keyed& a, const Keyed& b) { return a.key == b.key; });
  entries.insert(entries.end(), all.begin(), end);
  return static_cast<std::size_t>(end - all.begin());
}

Result<DwarfPlace> DwarfIndex::entry_of(const DwarfFile& file, const Place& place) {
  const DwarfFile* holder = &file;
  if (place.unit & kInSupplement) {
    auto shared = file.supplement();
    if (!shared) return std::move(shared).error();
    holder = *shared;
  }
  auto unit = holder->unit_with_header_at(place.unit & ~kInSupplement);
  if (unit) unit = holder->full_unit(**unit);
  if (!unit) return std::move(unit).error();
  return DwarfPlace{*unit, place.value};
}

Result<DwarfIndex> DwarfIndex::from_bytes(std::vector<std::byte> bytes) {
  const Error broken{ErrorCode::malformed_data, "DWARF index: its parts do not add up"};
  DwarfIndex index;
  index.bytes_ = std::move(bytes);
  const auto header = load<Header>(index.bytes_, 0);
  if (!header) return broken;
  std::uint64_t left = index.bytes_.size() - sizeof(Header);
  const auto take = [&left](std::uint64_t count, std::uint64_t bytes_each) {
    if (count > left / bytes_each) return false;
    left -= count * bytes_each;
    return true;
  };
  for (const std::uint64_t count : header->named)
    if (!take(count, sizeof(Entry))) return broken;
  for (const std::uint64_t count : header->keyed)
    if (!take(count, sizeof(Keyed))) return broken;
  if (header->text_bytes != left) return broken;
  index.header_ = *header;
  return index;
}

std::uint64_t DwarfIndex::first(Part part) const {
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < part; ++i) index += header_.named[i];
  return index;
}

DwarfIndex::Entry DwarfIndex::entry(std::uint64_t index) const {
  return load<Entry>(bytes_, sizeof(Header) + index * sizeof(Entry)).value_or(Entry{});
}

std::string_view DwarfIndex::text(const Entry& entry) const {
  const std::uint64_t begin = bytes_.size() - header_.text_bytes + entry.text;
  const auto found = slice(bytes_, begin, entry.text_bytes);
  if (!found) return {};
  return {reinterpret_cast<const char*>(found->data()), found->size()};
}

std::vector<DwarfIndex::Place> DwarfIndex::find(std::string_view name, Part part) const {
  const std::uint64_t begin = first(part), end = begin + header_.named[part];
  std::uint64_t low = begin, high = end;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (text(entry(middle)) < name)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<Place> out;
  for (; low < end; ++low) {
    const Entry found = entry(low);
    if (text(found) != name) break;
    out.push_back({found.unit, found.value});
  }
  return out;
}

std::vector<DwarfIndex::Place> DwarfIndex::functions(std::string_view name) const {
  return find(name, kFunctions);
}

std::vector<DwarfIndex::Place> DwarfIndex::structures(std::string_view name) const {
  return find(name, kStructures);
}

std::vector<DwarfIndex::Place> DwarfIndex::other_types(std::string_view name) const {
  return find(name, kOtherTypes);
}

std::vector<DwarfIndex::Place> DwarfIndex::variables(std::string_view name) const {
  return find(name, kVariables);
}

std::optional<DwarfIndex::Keyed> DwarfIndex::last_at_or_below(KeyedPart part,
                                                              std::uint64_t key) const {
  std::uint64_t begin = sizeof(Header) + first(kNamedParts) * sizeof(Entry);
  for (std::size_t i = 0; i < part; ++i) begin += header_.keyed[i] * sizeof(Keyed);
  const auto at = [&](std::uint64_t index) {
    return load<Keyed>(bytes_, begin + index * sizeof(Keyed)).value_or(Keyed{});
  };
  std::uint64_t low = 0, high = header_.keyed[part];
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (at(middle).key <= key)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return std::nullopt;
  return at(low - 1);
}

std::optional<DwarfIndex::Place> DwarfIndex::type_with_descriptor(std::uint64_t descriptor) const {
  const auto found = last_at_or_below(kDescriptors, descriptor);
  if (!found || found->key != descriptor) return std::nullopt;
  return Place{found->unit, found->value};
}

std::optional<DwarfIndex::Place> DwarfIndex::variable_at_or_below(std::uint64_t address) const {
  const auto found = last_at_or_below(kAddresses, address);
  if (!found) return std::nullopt;
  return Place{found->unit, found->value};
}

std::vector<DwarfIndex::Place> DwarfIndex::types_matching(std::string_view wanted,
                                                          std::size_t limit,
                                                          std::size_t& more) const {
  std::vector<Place> out;
  more = 0;
  std::uint64_t next[2] = {first(kStructures), first(kOtherTypes)};
  const std::uint64_t end[2] = {first(kOtherTypes), first(kVariables)};
  std::string_view last;
  while (next[0] < end[0] || next[1] < end[1]) {
    std::string_view names[2];
    for (int i : {0, 1})
      if (next[i] < end[i]) names[i] = text(entry(next[i]));
    const int from = next[0] >= end[0] || (next[1] < end[1] && names[1] < names[0]) ? 1 : 0;
    const Entry found = entry(next[from]++);
    if (names[from] == last || names[from].find(wanted) == std::string_view::npos) continue;
    last = names[from];
    if (out.size() < limit)
      out.push_back({found.unit, found.value});
    else
      ++more;
  }
  return out;
}

}  // namespace cgo
