#include "target/dwarf_split.h"

#include <filesystem>

#include "target/dwarf_constants.h"
#include "target/dwarf_unit_reader.h"

namespace cgo {
namespace {

namespace fs = std::filesystem;

struct PackageEntry {
  std::uint64_t info = 0;
  DwarfContributions starts;
};

/// Where the unit `id` lies in a package, from its .debug_cu_index.
/// Source: DWARF 5, section 7.3.5.3; the version 2 table of GNU packages differs in the numbers of
/// the sections alone (gcc wiki, DebugFissionDWP).
std::optional<PackageEntry> find_in_package(ByteView index, std::uint64_t id) {
  DwarfCursor cursor(index);
  const std::uint32_t version = cursor.u32() & 0xffff;
  const std::uint64_t columns = cursor.u32();
  const std::uint64_t units = cursor.u32();
  const std::uint64_t slots = cursor.u32();
  if (!cursor.ok() || (version != 2 && version != 5) || slots == 0 || (slots & (slots - 1)) ||
      columns > 16)
    return std::nullopt;
  const std::uint64_t ids = cursor.position(), rows = ids + 8 * slots, kinds = rows + 4 * slots;
  std::uint64_t slot = id & (slots - 1);
  const std::uint64_t step = ((id >> 32) & (slots - 1)) | 1;
  for (std::uint64_t tries = 0; tries < slots; ++tries, slot = (slot + step) & (slots - 1)) {
    const auto row = load<std::uint32_t>(index, rows + 4 * slot);
    const auto found = load<std::uint64_t>(index, ids + 8 * slot);
    if (!row || !found || *row == 0 || *row > units) return std::nullopt;
    if (*found != id) continue;
    PackageEntry entry;
    bool has_info = false;
    for (std::uint64_t column = 0; column < columns; ++column) {
      const auto kind = load<std::uint32_t>(index, kinds + 4 * column);
      const auto start = load<std::uint32_t>(index, kinds + 4 * (columns * *row + column));
      if (!kind || !start) return std::nullopt;
      switch (*kind) {
        case 1:
          entry.info = *start;
          has_info = true;
          break;
        case 3:
          entry.starts.abbrev = *start;
          break;
        case 5:
          (version == 5 ? entry.starts.loclists : entry.starts.loc) = *start;
          break;
        case 6:
          entry.starts.str_offsets = *start;
          break;
        case 8:
          if (version == 5) entry.starts.rnglists = *start;
          break;
        default:
          break;
      }
    }
    if (!has_info) return std::nullopt;
    return entry;
  }
  return std::nullopt;
}

std::vector<std::string> candidates(const DwarfUnit& skeleton, const std::string& executable) {
  const fs::path name(skeleton.dwo_name);
  const fs::path beside = fs::path(executable).parent_path();
  std::vector<std::string> paths{executable + ".dwp"};
  if (name.is_absolute()) {
    paths.push_back(name.string());
  } else {
    paths.push_back((fs::path(skeleton.comp_dir) / name).string());
    paths.push_back((beside / name).string());
  }
  paths.push_back((beside / name.filename()).string());
  return paths;
}

/// The unit `skeleton` stands for, or nothing when `file` does not have it.
Result<std::unique_ptr<const DwarfUnit>> find_unit(const DwarfFile& file,
                                                   const DwarfUnit& skeleton) {
  auto headers = file.headers();
  if (!headers) return std::move(headers).error();
  std::optional<PackageEntry> packaged;
  if (file.sections().has(DwarfSection::cu_index)) {
    auto index = file.sections().bytes(DwarfSection::cu_index);
    if (!index) return std::move(index).error();
    packaged = find_in_package(*index, skeleton.dwo_id);
    if (!packaged) return std::unique_ptr<const DwarfUnit>{};
  }
  for (const DwarfUnitHeader& header : *headers) {
    if (packaged ? header.offset != packaged->info
                 : header.version >= 5 && header.id != skeleton.dwo_id)
      continue;
    auto unit = DwarfUnitReader{file}.read(header, &skeleton,
                                           packaged ? packaged->starts : DwarfContributions{});
    if (!unit) return unit;
    // Before DWARF 5 the unit's entry, not its header, has the id.
    if ((*unit)->dwo_id == skeleton.dwo_id) return unit;
  }
  return std::unique_ptr<const DwarfUnit>{};
}

}  // namespace

Result<const DwarfUnit*> DwarfFile::split_unit(const DwarfUnit& skeleton) const {
  const std::lock_guard lock(split_->mutex);
  if (const auto found = split_->units.find(&skeleton); found != split_->units.end())
    return found->second.get();
  std::string looked;
  for (const std::string& path : candidates(skeleton, sections_.file().path())) {
    auto [entry, is_new] = split_->files.try_emplace(path);
    if (is_new) {
      auto elf = ElfFile::open(path);
      if (elf) entry->second = std::make_unique<const DwarfFile>(*std::move(elf), true);
    }
    looked += (looked.empty() ? "" : ", ") + path;
    if (!entry->second) continue;
    auto unit = find_unit(*entry->second, skeleton);
    if (!unit) return std::move(unit).error();
    if (*unit) return split_->units.emplace(&skeleton, *std::move(unit)).first->second.get();
  }
  return Error{ErrorCode::not_found, "split debug information of " + std::string(skeleton.name) +
                                         (skeleton.name.empty() ? "" : " ") + "(" +
                                         std::string(skeleton.dwo_name) + ") is not in " + looked};
}

Result<const DwarfFile*> DwarfFile::supplement() const {
  std::call_once(supplement_once_, [this] {
    const ElfFile& file = sections_.file();
    const ElfSection* section = file.section(".gnu_debugaltlink");
    const auto fail = [this](std::string what) {
      supplement_error_ = Error{ErrorCode::not_found, std::move(what)};
    };
    if (!section) return fail(file.path() + ": no .gnu_debugaltlink, but a reference to one");
    auto link = file.section_bytes(*section);
    const auto name = link ? c_string(*link, 0) : std::nullopt;
    if (!name) return fail(file.path() + ": .gnu_debugaltlink cannot be read");
    std::string id;
    for (const std::byte byte : link->subspan(name->size() + 1)) {
      constexpr std::string_view digits = "0123456789abcdef";
      id += digits[static_cast<unsigned>(byte) >> 4];
      id += digits[static_cast<unsigned>(byte) & 15];
    }
    std::error_code ignored;
    const fs::path self = fs::weakly_canonical(file.path(), ignored);
    const fs::path linked = self.parent_path() / fs::path(*name);
    std::vector<std::string> paths{linked.string()};
    if (id.size() > 2)
      paths.push_back("/usr/lib/debug/.build-id/" + id.substr(0, 2) + "/" + id.substr(2) +
                      ".debug");
    for (const std::string& path : paths) {
      auto elf = ElfFile::open(path);
      if (!elf || (*elf)->build_id() != id) continue;
      supplement_ = std::make_unique<const DwarfFile>(*std::move(elf));
      return;
    }
    fail(file.path() + ": the debug information it shares with other files (" + std::string(*name) +
         ", build id " + id + ") is not on this machine");
  });
  if (supplement_error_) return *supplement_error_;
  return supplement_.get();
}

}  // namespace cgo
