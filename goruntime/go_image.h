#pragma once

#include <optional>
#include <string>
#include <vector>

#include "goruntime/go_runtime.h"
#include "goruntime/image_bytes.h"
#include "goruntime/module_data.h"

namespace cgo {

/// An image that holds a Go module.
struct GoImage {
  const Image* image = nullptr;
  GoVersion version;
  std::string version_text;
  RuntimeLayout layout;
  ModuleData data;
  std::vector<std::string> notes;  ///< How each of these was found.
};

/// What makes an image a Go image; nothing for one that is none (a C library), an error for one
/// that is, but cannot be used.
std::optional<Result<GoImage>> find_go_image(const Image& image, const MemoryReader& memory,
                                             const DwarfSource& dwarf);

}  // namespace cgo
