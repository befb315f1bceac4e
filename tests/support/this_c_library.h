#pragma once

#include <dlfcn.h>
#include <link.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "target/elf.h"
#include "target/image.h"

namespace cgo {

/// The C library of the test's own process.
struct CLibrary {
  ImageMap images;
  bool found = false;
};

inline CLibrary this_c_library() {
  Dl_info where{};
  if (dladdr(reinterpret_cast<void*>(&__errno_location), &where) == 0) return {};
  auto file = ElfFile::open(where.dli_fname);
  if (!file) return {};
  Image image{.path = where.dli_fname, .file = *file};
  image.bias = reinterpret_cast<std::uintptr_t>(where.dli_fbase);
  image.range = {{image.bias}, {image.bias + (1 << 24)}};
  return {ImageMap({std::move(image)}), true};
}

/// All images of the test's own process.
inline ImageMap all_images() {
  std::vector<Image> images;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        const std::string path = *info->dlpi_name == 0 ? "/proc/self/exe" : info->dlpi_name;
        if (auto file = ElfFile::open(path))
          static_cast<std::vector<Image>*>(out)->push_back(
              {.path = path, .file = *file, .bias = info->dlpi_addr});
        return 0;
      },
      &images);
  return ImageMap(std::move(images));
}

inline std::uint64_t thread_pointer() {
  std::uint64_t value = 0;
  __asm__("mov %%fs:0,%0" : "=r"(value));
  return value;
}

}  // namespace cgo
