#pragma once

#include <span>
#include <string>

#include "unwind/frame.h"

namespace cgo {

struct FormatOptions {
  bool colour = false;
  bool raw = false;           ///< Show plumbing, pc, sp and the rule of each frame.
  bool full_paths = false;
  std::optional<std::size_t> selected;  ///< Element index marked with "*" and shown with source.
};

/// A stack for people: crossings marked, plumbing hidden unless raw, the end always explained.
std::string format_stack(const Stack& stack, const FormatOptions& options);

/// lldb-cgo/stacks/1 on one line, without a newline at the end.
std::string stacks_json(std::span<const Stack> stacks);

/// `text` with control characters, invalid UTF-8 and terminal escapes shown as \xNN: names in a core
/// are not trusted.
std::string escaped(std::string_view text);

}  // namespace cgo
