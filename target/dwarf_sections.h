#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "target/elf.h"
#include "target/mapped_file.h"

namespace cgo {

enum class DwarfSection : std::uint8_t {
  info,
  abbrev,
  line,
  str,
  line_str,
  str_offsets,
  addr,
  ranges,
  rnglists,
  loc,
  loclists,
  aranges,
  cu_index,
  count
};

class DwarfCache;

/// The .debug_* sections of one file, by what they are for. A section is unpacked when it is first
/// asked for and stays as long as the file. Thread-safe.
class DwarfSections {
 public:
  /// `split`: the file is a .dwo or .dwp, whose sections are named .debug_*.dwo. Large sections
  /// that had to be unpacked are kept in `cache`, unless it is null; it must outlive this object.
  DwarfSections(std::shared_ptr<const ElfFile> file, bool split, const DwarfCache* cache = nullptr);

  const ElfFile& file() const { return *file_; }
  bool split() const { return split_; }
  bool has(DwarfSection section) const;
  /// Empty when the file has no such section.
  Result<std::span<const std::byte>> bytes(DwarfSection section) const;
  /// Begins to unpack a section that will be asked for soon, if that takes long.
  void prefetch(DwarfSection section) const;
  /// The NUL-terminated string at `offset` of `section`.
  Result<std::string_view> string(DwarfSection section, std::uint64_t offset) const;
  std::string_view name(DwarfSection section) const;

 private:
  static constexpr std::size_t kCount = static_cast<std::size_t>(DwarfSection::count);

  /// A section from the cache, or on its way into it.
  struct Kept {
    std::once_flag once;
    std::shared_ptr<const MappedFile> file;
    Result<std::span<const std::byte>> bytes = std::span<const std::byte>{};
  };

  bool slow(const ElfSection& section) const;
  void read(DwarfSection section, Kept& kept) const;
  /// Does optional work on the side; the destructor waits for it.
  template <class Work>
  void work(Work&& work) const;

  std::shared_ptr<const ElfFile> file_;
  bool split_;
  const DwarfCache* cache_;
  std::array<const ElfSection*, kCount> found_{};
  mutable std::array<Kept, kCount> kept_;
  mutable std::mutex workers_mutex_;
  mutable std::vector<std::jthread> workers_;  // Last: they use all the others.
};

}  // namespace cgo
