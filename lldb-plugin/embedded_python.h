#pragma once

#include <span>

namespace cgo {

/// A Python module whose source is part of the plugin's file.
struct EmbeddedPython {
  const char* module;
  const char* text;
};

/// In the order they have to be made: each may import those before it.
std::span<const EmbeddedPython> embedded_python();

}  // namespace cgo
