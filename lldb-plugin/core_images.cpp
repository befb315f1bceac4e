#include "lldb-plugin/core_images.h"

#include <elf.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "lldb-plugin/image_check.h"
#include "target/memory_elf.h"

namespace cgo {
namespace {

/// A file as it lies in a process: its first page and what of it is mapped.
struct MappedFile {
  std::string path;
  Address base;         ///< Where its first byte is mapped.
  AddressRange extent;  ///< All its mappings.
  std::optional<std::string> build_id;
};

Result<std::shared_ptr<const ElfFile>> open_elf(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return Error{ErrorCode::not_found, path + ": no such file on this machine"};
  return ElfFile::open(path);
}

/// Load address minus file address for a file whose first byte is mapped at `base`.
std::optional<std::uint64_t> bias_of(const ElfFile& file, Address base) {
  for (const ElfSegment& segment : file.segments())
    if (segment.type == PT_LOAD)
      return base.value - (segment.file_address.value - segment.file_offset);
  return std::nullopt;
}

std::optional<Image> image_of(const MappedFile& mapped, const std::string& local,
                              const MemoryReader& memory) {
  Image image;
  image.path = mapped.path;
  image.range = mapped.extent;
  const auto headers = mapped_elf_at(memory, mapped.base);
  if (headers) image.bias = headers->bias;
  auto file = open_elf(local);
  if (!file) {
    if (!headers) return std::nullopt;  // A data file, or nothing is known of it.
    image.range = headers->range;
    return image;
  }
  const auto bias = bias_of(**file, mapped.base);
  if (!bias) return std::nullopt;
  image.file = *std::move(file);
  image.mismatch = file_mismatch(local, *image.file, memory, mapped.base, mapped.build_id);
  if (image.mismatch) return image;
  image.bias = *bias;
  AddressRange range{{UINT64_MAX}, {0}};
  for (const ElfSegment& segment : image.file->segments()) {
    if (segment.type != PT_LOAD || segment.memory_bytes == 0) continue;
    range.begin = std::min(range.begin, image.to_load(segment.range().begin));
    range.end = std::max(range.end, image.to_load(segment.range().end));
  }
  image.range = range;
  return image;
}

std::optional<Image> vdso_image(const MemoryReader& memory, Address base) {
  auto headers = mapped_elf_at(memory, base);
  auto file = elf_file_from_memory(memory, base, "[vdso]", 1u << 20);
  if (!headers || !file) return std::nullopt;
  Image image;
  image.path = "[vdso]";
  image.file = *std::move(file);
  image.bias = headers->bias;
  image.range = headers->range;
  return image;
}

/// Groups pieces of files by path; a file that is mapped twice as a whole has two bases.
class Grouping {
 public:
  void add(const std::string& path, AddressRange range, std::uint64_t file_offset) {
    if (path.empty() || path.front() != '/') return;
    if (file_offset == 0) {
      files_.push_back({path, range.begin, range, std::nullopt});
    } else if (!files_.empty() && files_.back().path == path) {
      files_.back().extent.end = std::max(files_.back().extent.end, range.end);
    }
  }
  std::vector<MappedFile>& files() { return files_; }

 private:
  std::vector<MappedFile> files_;
};

std::vector<Image> images_of(std::vector<MappedFile>& files, const MemoryReader& memory,
                             const std::string& main_program, const std::string& exe) {
  std::vector<Image> images;
  for (const MappedFile& mapped : files) {
    const bool main = !exe.empty() && mapped.path == main_program;
    if (auto image = image_of(mapped, main ? exe : mapped.path, memory))
      images.push_back(*std::move(image));
  }
  return images;
}

}  // namespace

std::vector<Image> images_of_core(const CoreFile& core, const std::string& exe) {
  Grouping grouping;
  for (const CoreMappedFile& piece : core.mapped_files())
    grouping.add(piece.path, piece.range, piece.file_offset);
  const auto executable = core.executable();
  std::string main_program = executable ? executable->path : "";
  std::vector<MappedFile>& files = grouping.files();
  if (executable && executable->path.empty()) {
    main_program =
        exe;  // A core without a list of files: the program is known by its headers only.
    files.push_back({exe, executable->base, executable->elf.range, executable->elf.build_id});
  }
  std::vector<Image> images = images_of(files, core, main_program, exe);
  if (const auto vdso = core.auxv(AT_SYSINFO_EHDR))
    if (auto image = vdso_image(core, Address{*vdso})) images.push_back(*std::move(image));
  return images;
}

std::vector<Image> images_of_minidump(const Minidump& dump, const std::string& exe) {
  Grouping grouping;
  for (const Mapping& mapping : dump.mappings())
    grouping.add(mapping.path, mapping.range, mapping.file_offset);
  std::vector<MappedFile>& files = grouping.files();
  std::string main_program;
  for (const MinidumpModule& module : dump.modules()) {
    if (main_program.empty() && !module.path.starts_with('[')) main_program = module.path;
    const auto known = std::find_if(files.begin(), files.end(), [&](const MappedFile& file) {
      return file.base == module.range.begin;
    });
    if (known != files.end())
      known->build_id = module.build_id;
    else if (module.path.starts_with('/'))
      files.push_back({module.path, module.range.begin, module.range, module.build_id});
  }
  std::vector<Image> images = images_of(files, dump, main_program, exe);
  for (const Mapping& mapping : dump.mappings())
    if (mapping.path == "[vdso]")
      if (auto image = vdso_image(dump, mapping.range.begin)) images.push_back(*std::move(image));
  return images;
}

}  // namespace cgo
