#include "lldb-plugin/dwarf_source.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace cgo {
namespace {

/// Where indexes of debug information are kept between runs; empty when there is no home.
std::filesystem::path cache_directory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return std::filesystem::path(cache) / "lldb-cgo";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".cache" / "lldb-cgo";
  return {};
}

class DwarfByFile {
 public:
  Result<std::shared_ptr<const DwarfInfo>> of(const Image& image) {
    if (!image.file || image.mismatch)
      return Error{ErrorCode::not_found, image.path + ": no usable file, so no debug information"};
    const std::lock_guard lock(mutex_);
    const auto known = opened_.find(image.file.get());
    if (known != opened_.end()) return known->second;
    return opened_.emplace(image.file.get(), open(image.file)).first->second;
  }

 private:
  static Result<std::shared_ptr<const DwarfInfo>> open(std::shared_ptr<const ElfFile> file) {
    auto own = DwarfInfo::open(file, cache_directory());
    if (own) return own;
    auto separate = find_debug_file(*file);
    if (!separate) return own;
    return DwarfInfo::open(*separate, cache_directory());
  }

  std::mutex mutex_;
  std::map<const ElfFile*, Result<std::shared_ptr<const DwarfInfo>>> opened_;
};

}  // namespace

DwarfSource make_dwarf_source() {
  auto opened = std::make_shared<DwarfByFile>();
  return [opened](const Image& image) { return opened->of(image); };
}

}  // namespace cgo
