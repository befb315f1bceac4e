#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "target/core_file.h"
#include "target/image.h"

namespace cgo {

/// The files that lie in these ranges and are ELF, where the first segment of each was put.
inline std::vector<Image> images_in(const std::map<std::string, AddressRange>& ranges) {
  std::vector<Image> images;
  for (const auto& [path, range] : ranges) {
    auto file = ElfFile::open(path);
    if (!file) continue;
    const auto segments = (*file)->segments();
    const auto first = std::find_if(segments.begin(), segments.end(),
                                    [](const ElfSegment& segment) { return segment.loaded(); });
    if (first == segments.end()) continue;
    const std::uint64_t page = first->file_address.value & ~std::uint64_t{4095};
    images.push_back(
        {.path = path, .file = *file, .bias = range.begin.value - page, .range = range});
  }
  return images;
}

/// The images of a core: every mapped file that is ELF.
inline std::vector<Image> images_of(const CoreFile& core) {
  std::map<std::string, AddressRange> ranges;
  for (const CoreMappedFile& mapped : core.mapped_files()) {
    auto [at, fresh] = ranges.emplace(mapped.path, mapped.range);
    at->second.begin = std::min(at->second.begin, mapped.range.begin);
    at->second.end = std::max(at->second.end, mapped.range.end);
  }
  return images_in(ranges);
}

}  // namespace cgo
