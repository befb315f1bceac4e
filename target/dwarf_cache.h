#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "target/byte_view.h"
#include "target/dwarf.h"
#include "target/mapped_file.h"

namespace cgo {

/// Files in which answers about one ELF file are kept between runs, named by its build id. A file
/// that is cut, changed, or of another version is as good as absent. Several programs may read and
/// write at once: a file is written beside its place, then put there in one step.
class DwarfCache {
 public:
  /// Does nothing, and has nothing, when `directory` is empty or `file` has no usable build id.
  DwarfCache(std::filesystem::path directory, const ElfFile& file);

  /// A file of the cache as it lies on disk. Nothing of ours shortens one that is in place.
  struct Mapped {
    std::shared_ptr<const MappedFile> file;
    ByteView contents;
  };
  /// For what is large: a copy takes several times as long as looking it through for damage.
  std::optional<Mapped> map(std::string_view kind) const;
  std::optional<std::vector<std::byte>> load(std::string_view kind) const;
  /// A failure to write is no failure of the answer, so it is not reported; the file stays absent.
  void store(std::string_view kind, ByteView contents) const;

 private:
  std::filesystem::path path(std::string_view kind) const;
  void drop_oldest(std::uint64_t more) const;

  std::filesystem::path directory_;
  std::string build_id_;
  std::uint64_t fingerprint_ = 0;
};

using DwarfStructs = std::map<std::string, DwarfStruct, std::less<>>;

/// Structures as bytes for a DwarfCache.
std::vector<std::byte> encode_structs(const DwarfStructs& structs);
/// Nothing when `bytes` are not what encode_structs made.
std::optional<DwarfStructs> decode_structs(ByteView bytes);

}  // namespace cgo
