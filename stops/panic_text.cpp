#include "stops/panic_text.h"

#include <fmt/format.h>

#include <limits>

#include "stops/stack_places.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kMostChances = 4, kMostFrames = 12;
constexpr std::size_t kOutermost = std::numeric_limits<std::size_t>::max();

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "f at file.c:12", with no folder: there are many in one line.
std::string short_place(const Frame& frame) {
  Frame brief = frame;
  brief.file = base_name(frame.file);
  return place_text(brief);
}

/// The same of the innermost frame from `physical` on that is not plumbing.
std::string short_place(const Stack& stack, std::size_t physical) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->physical >= physical && !frame->plumbing)
      return short_place(*frame);
  return "?";
}

std::string chance_text(const Stack& stack, const PanicFate::Chance& chance) {
  const RecoverCall& call = chance.call;
  std::string out = escaped(call.function.empty() ? "a function without a name" : call.function);
  if (call.kind == RecoverCall::Kind::unknown)
    out += fmt::format(" (cannot be told: {})", escaped(call.why));
  else if (!call.file.empty())
    out += fmt::format(" (calls recover at {}:{})", escaped(base_name(call.file)), call.line);
  return out + ", deferred by " + short_place(stack, chance.physical);
}

/// The panicking code: the innermost frame that is not the runtime's own.
std::string panicker_in(const Stack& stack, std::size_t panicking) {
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame != nullptr && frame->physical > panicking && !frame->plumbing &&
        !frame->function.starts_with("runtime."))
      return short_place(*frame);
  }
  return short_place(stack, panicking + 1);
}

std::string frames_text(const Stack& stack, const std::vector<std::size_t>& frames) {
  std::string out;
  for (std::size_t i = 0; i < frames.size() && i < kMostFrames; ++i)
    out += fmt::format("{}{}", i == 0 ? "" : ", ", short_place(stack, frames[i]));
  if (frames.size() > kMostFrames) out += fmt::format(" and {} more", frames.size() - kMostFrames);
  return out;
}

std::string skipped_text(const Stack& stack, std::size_t from, std::size_t to) {
  const auto frames = c_frames_between(stack, from, to);
  if (frames.empty()) return "    no frame of C is skipped then\n";
  return fmt::format(
      "    skips then, with all that they would have done (C++ destructors too): {}\n",
      frames_text(stack, frames));
}

}  // namespace

std::string panic_text(const Stack& stack, const PanicFate& fate, std::size_t panicking) {
  std::string out = fmt::format("  by {}", panicker_in(stack, panicking));
  if (stack.goroutine) out += fmt::format(", goroutine {}", stack.goroutine->id);
  if (stack.thread) out += fmt::format(" on thread {}", stack.thread->tid);
  out += '\n';
  for (const std::size_t earlier : fate.earlier)
    out += fmt::format("  within the deferred calls of an earlier panic, that of {}\n",
                       panicker_in(stack, earlier));
  for (std::size_t i = 0; i < fate.chances.size() && i < kMostChances; ++i) {
    const PanicFate::Chance& chance = fate.chances[i];
    out += fmt::format("  {} {}\n", i == 0 ? "may be recovered by" : "if not, by",
                       chance_text(stack, chance));
    out += skipped_text(stack, panicking, chance.physical);
    if (fate.goexit && chance.physical < *fate.goexit)
      out += "    the goroutine ends all the same: runtime.Goexit is ending it\n";
  }
  if (fate.chances.size() > kMostChances)
    out += fmt::format("  if not, by one of {} further out\n", fate.chances.size() - kMostChances);
  if (fate.unknown) {
    out += fmt::format("  {} cannot be told: {}\n",
                       fate.chances.empty() ? "who recovers it" : "who else could recover it",
                       escaped(fate.unknown->message));
  } else if (fate.chances.empty()) {
    out += fate.pending == 0
               ? "  nothing recovers it (no call is deferred): the process will end\n"
               : fmt::format(
                     "  nothing recovers it (none of the {} deferred calls calls recover): the "
                     "process will end when they have come back\n",
                     fate.pending);
  } else {
    out += "  if not, the process will end\n";
  }
  if (fate.chances.empty()) {
    const auto frames = c_frames_between(stack, panicking, kOutermost);
    if (!frames.empty()) out += fmt::format("  C below: {}\n", frames_text(stack, frames));
  }
  return out;
}

}  // namespace cgo
