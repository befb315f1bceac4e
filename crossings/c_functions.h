#pragma once

#include <map>
#include <string>
#include <string_view>

#include "crossings/catalogue.h"
#include "target/elf_imports.h"

namespace cgo {

/// Finds C functions of one process. What it is made of must outlive it.
class CFunctions {
 public:
  CFunctions(const MemoryReader& memory, const ImageMap& images)
      : memory_(memory), images_(images) {}

  /// The C function `name` behind cgo's stub at `stub`: where the stub's code calls or jumps to, by
  /// a symbol of that name, or by the name under which the image takes it from another.
  /// Source: src/cmd/cgo/out.go, writeOutputFunc.
  CFunction behind(Address stub, std::string_view name);

  /// The function `name` among the symbols of an image, or of any image when it is not there.
  CFunction named(const Image* first, std::string_view name) const;

 private:
  std::optional<CFunction> imported(const Image& image, Address word, std::string_view name);

  const MemoryReader& memory_;
  const ImageMap& images_;
  std::map<const ElfFile*, ElfImports> imports_;
};

}  // namespace cgo
