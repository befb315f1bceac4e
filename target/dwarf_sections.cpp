#include "target/dwarf_sections.h"

#include <system_error>

#include "target/byte_view.h"
#include "target/dwarf_cache.h"

namespace cgo {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(DwarfSection::count)> kNames{
    "info",   "abbrev",   "line", "str",      "line_str", "str_offsets", "addr",
    "ranges", "rnglists", "loc",  "loclists", "aranges",  "cu_index"};

/// "info" for ".debug_info", ".zdebug_info" and, in a split file, ".debug_info.dwo".
std::string_view purpose_of(std::string_view name, bool split) {
  if (split) {
    if (name == ".debug_cu_index") return "cu_index";
    if (!name.ends_with(".dwo")) return {};
    name.remove_suffix(4);
  }
  for (const std::string_view prefix : {".debug_", ".zdebug_"})
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  return {};
}

}  // namespace

DwarfSections::DwarfSections(std::shared_ptr<const ElfFile> file, bool split,
                             const DwarfCache* cache)
    : file_(std::move(file)), split_(split), cache_(cache) {
  for (const ElfSection& section : file_->sections()) {
    if (!section.has_bytes_in_file()) continue;
    const std::string_view purpose = purpose_of(section.name, split);
    if (purpose.empty()) continue;
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (purpose == kNames[i] && !found_[i]) found_[i] = &section;
  }
}

bool DwarfSections::has(DwarfSection section) const {
  return found_[static_cast<std::size_t>(section)] != nullptr;
}

Result<std::span<const std::byte>> DwarfSections::bytes(DwarfSection section) const {
  const ElfSection* found = found_[static_cast<std::size_t>(section)];
  if (!found) return std::span<const std::byte>{};
  if (!cache_ || !slow(*found)) return file_->section_bytes(*found);
  Kept& kept = kept_[static_cast<std::size_t>(section)];
  std::call_once(kept.once, [&] { read(section, kept); });
  return kept.bytes;
}

bool DwarfSections::slow(const ElfSection& section) const {
  constexpr std::uint64_t kFast = 1 << 18;
  return section.compressed() && section.bytes > kFast;
}

void DwarfSections::read(DwarfSection section, Kept& kept) const {
  const std::string kind = "section-" + std::string(kNames[static_cast<std::size_t>(section)]);
  if (auto cached = cache_->map(kind)) {
    kept.file = std::move(cached->file);
    kept.bytes = cached->contents;
    return;
  }
  kept.bytes = file_->section_bytes(*found_[static_cast<std::size_t>(section)]);
  if (!kept.bytes) return;
  const auto bytes = *kept.bytes;
  work([cache = cache_, kind, bytes] { cache->store(kind, bytes); });
}

void DwarfSections::prefetch(DwarfSection section) const {
  const ElfSection* found = found_[static_cast<std::size_t>(section)];
  if (found && slow(*found)) work([this, section] { (void)bytes(section); });
}

template <class Work>
void DwarfSections::work(Work&& work) const {
  const std::lock_guard lock(workers_mutex_);
  try {
    workers_.emplace_back(std::forward<Work>(work));
  } catch (const std::system_error&) {
    // No more threads: the work is optional.
  }
}

Result<std::string_view> DwarfSections::string(DwarfSection section, std::uint64_t offset) const {
  auto all = bytes(section);
  if (!all) return std::move(all).error();
  const auto text = c_string(*all, offset);
  if (!text && offset < all->size() && all->size() - offset >= kLongestCText)
    return Error{ErrorCode::limit_reached, std::string(name(section)) + ": the name at " +
                                               hex(offset) + " is longer than 64 KiB"};
  if (!text)
    return Error{ErrorCode::malformed_data,
                 std::string(name(section)) + ": no string at " + hex(offset)};
  return *text;
}

std::string_view DwarfSections::name(DwarfSection section) const {
  const ElfSection* found = found_[static_cast<std::size_t>(section)];
  return found ? std::string_view(found->name) : kNames[static_cast<std::size_t>(section)];
}

}  // namespace cgo
