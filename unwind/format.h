#pragma once

#include <span>
#include <string>
#include <string_view>

#include "unwind/frame.h"

namespace cgo {

struct FormatOptions {
  bool colour = false;
  bool raw = false;  ///< Show plumbing, pc, sp and the rule of each frame.
  bool full_paths = false;
  std::optional<std::size_t> selected;  ///< Element index marked with "*" and shown with source.
};

/// A stack for people: crossings marked, plumbing hidden unless raw, the end always explained.
std::string format_stack(const Stack& stack, const FormatOptions& options);

/// lldb-cgo/stacks/1 on one line, without a newline at the end.
std::string stacks_json(std::span<const Stack> stacks);
/// One element of its "stacks", appended: for writers that work on several stacks at a time.
void append_stack_json(std::string& out, const Stack& stack);
/// One frame object of the schema, appended. `index` is its place among the frames of its stack.
void append_frame_json(std::string& out, const Frame& frame, std::size_t index);

/// `text` with control characters, invalid UTF-8 and terminal escapes shown as \xNN: names in a
/// core are not trusted.
std::string escaped(std::string_view text);

/// `text` as a JSON string, with its quotes; bytes that are not UTF-8 become the text \\xNN.
std::string json_string(std::string_view text);
/// The same without quotes, appended.
void append_json_text(std::string& out, std::string_view text);

}  // namespace cgo
