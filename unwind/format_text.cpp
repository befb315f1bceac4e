#include <fmt/format.h>

#include <algorithm>

#include "unwind/format.h"

namespace cgo {
namespace {

struct Palette {
  const char* function = "";
  const char* place = "";
  const char* crossing = "";
  const char* plumbing = "";
  const char* warning = "";
  const char* off = "";
};

constexpr Palette kPlain{};
constexpr Palette kColour{.function = "\x1b[1m",
                          .place = "\x1b[36m",
                          .crossing = "\x1b[35m",
                          .plumbing = "\x1b[2m",
                          .warning = "\x1b[33m",
                          .off = "\x1b[0m"};

const char* language_column(Language language) {
  switch (language) {
    case Language::go:
      return "Go ";
    case Language::c:
      return "C  ";
    case Language::cxx:
      return "C++";
    case Language::assembly:
      return "asm";
    case Language::unknown:
      return "?  ";
  }
  return "?  ";
}

const char* crossing_line(Crossing crossing) {
  switch (crossing) {
    case Crossing::go_to_c:
      return "Go called C";
    case Crossing::c_to_go:
      return "C called Go";
    case Crossing::signal:
      return "a signal interrupted";
    case Crossing::system_stack:
    case Crossing::none:
      return nullptr;
  }
  return nullptr;
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string place(const Frame& frame, const FormatOptions& options) {
  if (frame.file.empty()) return frame.module.empty() ? "" : "in " + escaped(frame.module);
  const auto file = options.full_paths ? frame.file : base_name(frame.file);
  if (frame.line == 0) return escaped(file);
  return fmt::format("{}:{}", escaped(file), frame.line);
}

std::string marks(const Frame& frame) {
  std::string out;
  if (frame.inlined) out += " [inlined]";
  if (frame.tail_call) out += " [tail call]";
  if (frame.certainty == Certainty::guess) out += " [guess]";
  return out;
}

std::string header(const Stack& stack) {
  std::string out;
  if (stack.goroutine) {
    out = fmt::format("goroutine {}  [{}", stack.goroutine->id, escaped(stack.goroutine->state));
    if (stack.goroutine->wait_reason) out += ": " + escaped(*stack.goroutine->wait_reason);
    out += "]";
  }
  if (stack.thread) {
    if (!out.empty()) out += "  on ";
    out += fmt::format("thread {} (tid {}", stack.thread->index, stack.thread->tid);
    if (!stack.thread->name.empty()) out += fmt::format(", \"{}\"", escaped(stack.thread->name));
    out += ")";
  }
  return out;
}

const char* end_words(StopReason reason) {
  switch (reason) {
    case StopReason::goroutine_entry:
    case StopReason::thread_entry:
      return nullptr;
    case StopReason::no_rule:
      return "there is no rule to unwind further";
    case StopReason::no_progress:
      return "the walk does not get further";
    case StopReason::bad_memory:
      return "stack memory is missing or damaged";
    case StopReason::frame_limit:
      return "the frame limit is reached";
  }
  return nullptr;
}

/// Aligned columns need the longest name first; a very long one does not push everything aside.
std::size_t function_width(const Stack& stack, const FormatOptions& options) {
  constexpr std::size_t kMost = 44;
  std::size_t width = 0;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || (frame->plumbing && !options.raw)) continue;
    const std::size_t length = frame->function.size() + marks(*frame).size();
    if (length <= kMost) width = std::max(width, length);
  }
  return width;
}

}  // namespace

std::string format_stack(const Stack& stack, const FormatOptions& options) {
  const Palette& colour = options.colour ? kColour : kPlain;
  std::string out = header(stack);
  if (stack.note) out += fmt::format("{}{}", out.empty() ? "" : "\n", escaped(*stack.note));
  if (!out.empty()) out += '\n';
  const std::size_t width = function_width(stack, options);
  std::size_t index = 0;
  const char* last_line = nullptr;
  for (std::size_t i = 0; i < stack.elements.size(); ++i) {
    if (const auto* gap = std::get_if<Gap>(&stack.elements[i])) {
      out += fmt::format("      {}~~ {} ~~{}\n", colour.warning, escaped(gap->why), colour.off);
      continue;
    }
    const auto& frame = std::get<Frame>(stack.elements[i]);
    const std::size_t number = index++;
    const bool shown = options.raw || !frame.plumbing || options.selected == number;
    if (shown) {
      const std::string name =
          frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function);
      const std::string mark = marks(frame);
      const char* tint = frame.plumbing ? colour.plumbing : colour.function;
      out += fmt::format("{} {:>4} {} {}{}{}{}{:{}} {}{}{}", options.selected == number ? '*' : ' ',
                         fmt::format("#{}", number), language_column(frame.language), tint, name,
                         colour.off, mark, "",
                         width > name.size() + mark.size() ? width - name.size() - mark.size() : 0,
                         colour.place, place(frame, options), colour.off);
      if (options.raw)
        out += fmt::format("  {}pc {} sp {} cfa {}  {}{}", colour.plumbing, hex(frame.pc.address),
                           hex(frame.sp), hex(frame.cfa), frame.inlined ? "inlined" : frame.rule,
                           colour.off);
      out += '\n';
    }
    if (shown) last_line = nullptr;
    const char* line = crossing_line(frame.crossing);
    // Two signal frames of which nothing else is shown are one line.
    if (line != nullptr && line != last_line)
      out += fmt::format("      {}-- {} --{}\n", colour.crossing, line, colour.off);
    if (line != nullptr) last_line = line;
  }
  if (const char* words = end_words(stack.end)) {
    out += fmt::format("{}stopped: {}", colour.warning, words);
    if (stack.error) out += ": " + escaped(stack.error->message);
    out += fmt::format(" (the frames above are valid){}\n", colour.off);
  }
  return out;
}

}  // namespace cgo
