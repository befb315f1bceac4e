#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "unwind/format.h"
#include "unwind/kept_walk.h"

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

/// An element that puts something into the text, and the number of its frame.
struct Shown {
  const StackElement* element = nullptr;
  std::size_t number = 0;
  bool line = false;  ///< Not only the crossing behind it.
};

std::vector<Shown> shown_elements(const Stack& stack, const FormatOptions& options) {
  std::vector<Shown> shown;
  std::size_t index = 0;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr) {
      shown.push_back({&element, index, true});
      continue;
    }
    const std::size_t number = index++;
    const bool line = options.raw || !frame->plumbing || options.selected == number;
    if (line || crossing_line(frame->crossing) != nullptr)
      shown.push_back({&element, number, line});
  }
  return shown;
}

bool reads_the_same(const Shown& a, const Shown& b) {
  const auto* x = std::get_if<Frame>(a.element);
  const auto* y = std::get_if<Frame>(b.element);
  if (x == nullptr || y == nullptr || a.line != b.line || x->crossing != y->crossing) return false;
  if (!a.line) return true;
  return x->line == y->line && x->function == y->function && x->file == y->file &&
         x->module == y->module && x->inlined == y->inlined && x->tail_call == y->tail_call &&
         x->certainty == y->certainty && (!x->function.empty() || x->pc.address == y->pc.address);
}

/// How often the first `period` elements follow one another.
struct Repetition {
  std::size_t period = 1, times = 1;
};

Repetition repetition_at(std::span<const Shown> shown, const FormatOptions& options) {
  constexpr std::size_t kLongestPeriod = 16, kFewest = 8;
  if (options.raw) return {};
  for (std::size_t period = 1; period <= kLongestPeriod; ++period) {
    std::size_t same = period;
    while (same < shown.size() && reads_the_same(shown[same], shown[same - period]) &&
           options.selected != shown[same].number)
      ++same;
    if (same / period >= kFewest) return {period, same / period};
  }
  return {};
}

/// Puts elements into text, one after the other.
class StackText {
 public:
  StackText(const Stack& stack, const FormatOptions& options)
      : options_(options),
        colour_(options.colour ? kColour : kPlain),
        width_(function_width(stack, options)) {}

  void add(const Shown& shown) {
    if (const auto* gap = std::get_if<Gap>(shown.element)) {
      out_ += fmt::format("      {}~~ {} ~~{}\n", colour_.warning, escaped(gap->why), colour_.off);
      return;
    }
    const auto& frame = std::get<Frame>(*shown.element);
    if (shown.line) say_kept(is_kept(frame));
    if (shown.line) add_frame(frame, shown.number);
    add_crossing(frame.crossing);
  }

  void add_repetition(std::span<const Shown> once, std::size_t times_more, std::size_t last) {
    const auto frames = std::count_if(once.begin(), once.end(), [](const Shown& s) {
      return s.line && std::holds_alternative<Frame>(*s.element);
    });
    out_ += fmt::format("      {}.. {} {} more, to #{} ..{}\n", colour_.crossing,
                        frames == 1 ? "this frame" : fmt::format("these {} frames", frames),
                        fmt::format("{} times", times_more), last, colour_.off);
  }

  std::string take() { return std::move(out_); }

 private:
  void add_frame(const Frame& frame, std::size_t number) {
    const std::string name =
        frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function);
    const std::string mark = marks(frame);
    const std::size_t length = name.size() + mark.size();
    out_ += fmt::format("{} {:>4} {} {}{}{}{}{:{}} {}{}{}", options_.selected == number ? '*' : ' ',
                        fmt::format("#{}", number), language_column(frame.language),
                        frame.plumbing ? colour_.plumbing : colour_.function, name, colour_.off,
                        mark, "", width_ > length ? width_ - length : 0, colour_.place,
                        place(frame, options_), colour_.off);
    if (options_.raw)
      out_ += fmt::format("  {}pc {} sp {} cfa {}  {}{}", colour_.plumbing, hex(frame.pc.address),
                          hex(frame.sp), hex(frame.cfa), frame.inlined ? "inlined" : frame.rule,
                          colour_.off);
    out_ += '\n';
    last_crossing_ = nullptr;
  }

  /// Frames that are not there any more stand between two lines.
  void say_kept(bool kept) {
    if (kept != kept_)
      out_ += fmt::format(
          "      {}~~ {} ~~{}\n", colour_.warning,
          kept ? "overwritten since: as it was when the panic began" : "as it is now", colour_.off);
    kept_ = kept;
  }

  void add_crossing(Crossing crossing) {
    const char* line = crossing_line(crossing);
    // Two signal frames of which nothing else is shown are one line.
    if (line != nullptr && line != last_crossing_)
      out_ += fmt::format("      {}-- {} --{}\n", colour_.crossing, line, colour_.off);
    if (line != nullptr) last_crossing_ = line;
  }

  const FormatOptions& options_;
  const Palette& colour_;
  const std::size_t width_;
  bool kept_ = false;
  const char* last_crossing_ = nullptr;
  std::string out_;
};

std::string end_line(const Stack& stack, const FormatOptions& options) {
  const char* words = end_words(stack.end);
  if (words == nullptr) return "";
  const Palette& colour = options.colour ? kColour : kPlain;
  std::string out = fmt::format("{}stopped: {}", colour.warning, words);
  if (stack.error) out += ": " + escaped(stack.error->message);
  return out + fmt::format(" (the frames above are valid){}\n", colour.off);
}

}  // namespace

std::string format_stack(const Stack& stack, const FormatOptions& options) {
  std::string out = header(stack);
  if (stack.note) out += fmt::format("{}{}", out.empty() ? "" : "\n", escaped(*stack.note));
  if (!out.empty()) out += '\n';
  if (stack.fault) out += stack.fault->text;
  StackText text(stack, options);
  const std::vector<Shown> shown = shown_elements(stack, options);
  for (std::span<const Shown> rest = shown; !rest.empty();) {
    const Repetition found = repetition_at(rest, options);
    for (const Shown& element : rest.first(found.period)) text.add(element);
    const std::size_t used = found.period * found.times;
    if (found.times > 1)
      text.add_repetition(rest.first(found.period), found.times - 1, rest[used - 1].number);
    rest = rest.subspan(used);
  }
  return out + text.take() + end_line(stack, options);
}

}  // namespace cgo
