#include "lldb-plugin/signal_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/frame_registers.h"
#include "stops/stack_places.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::string_view kSet[] = {"sigaction", "__sigaction"};
/// Functions of the C library that set a handler for their caller.
constexpr std::string_view kWrappers[] = {
    "sigaction",    "signal",           "bsd_signal",    "__bsd_signal",    "ssignal",
    "sysv_signal",  "sigset",           "__sysv_signal", "sigignore",       "__sigaction",
    "siginterrupt", "__GI___sigaction", "__sigset",      "__libc_sigaction"};

/// Who sets the handler: the innermost function behind the C library's ways to do it. A function of
/// C that ends in a jump to them has no frame.
std::string setter_in(const Stack& stack) {
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->physical == 0 || frame->plumbing || is_libc(frame->module) ||
        std::ranges::find(kWrappers, plain_name(frame->function)) != std::end(kWrappers))
      continue;
    const bool jumped = frame->language == Language::go;
    return (jumped ? "a function of C that was called by " : "") + place_text(*frame);
  }
  return "?";
}

/// Whether the runtime sets it: runtime/cgo calls the C library for it. Source:
/// src/runtime/cgo_sigaction.go; runtime/cgo/gcc_sigaction.c.
bool is_by_go(const Stack& stack) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->function.starts_with("runtime."))
      return frame->function == "runtime.callCgoSigaction";
  return false;
}

/// Whether a setter calls another one, as those that sanitizers put before the C library's do.
bool is_inner(const Stack& stack) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element); frame != nullptr) {
      if (frame->language == Language::go) return false;
      if (frame->physical != 0 &&
          std::ranges::find(kSet, plain_name(frame->function)) != std::end(kSet))
        return true;
    }
  return false;
}

std::string action_text(const Stop& stop, const SignalAction& action) {
  if (action.is_default()) return "  to the default action (SIG_DFL)\n";
  if (action.is_ignored()) return "  to ignored (SIG_IGN)\n";
  std::string flags;
  for (const std::string& flag : signal_action_flags(action.flags))
    flags += (flags.empty() ? "" : "|") + flag;
  return fmt::format("  to handler {}, flags {}\n",
                     format_place(place_of_function(*stop.program, action.handler)),
                     flags.empty() ? "none" : flags);
}

/// What Go needs its handler for.
std::string need_text(int number) {
  switch (number) {
    case 8:
      return "panics of divisions by zero";
    case 7:
    case 11:
      return "panics of nil dereferences";
    case 23:
      return "the preemption of goroutines that run long";
    case 27:
      return "CPU profiles";
    default:
      return {};
  }
}

std::string loss_text(int number, const SignalAction& action) {
  const std::string need = need_text(number);
  const std::string what = need.empty() ? "Go sees the signal" : need + " work";
  return action.has_handler() ? what + " only where the new one hands it on"
                              : (need.empty() ? "Go does not see the signal any more"
                                              : need + " do not work any more");
}

/// Of these the kernel, or the C library, refuses to change anything.
bool is_refused(std::uint32_t signal) {
  constexpr std::uint32_t kRefused[] = {9, 19, 32, 33};  // SIGKILL, SIGSTOP, the C library's own
  return signal < 1 || signal > kMostSignals ||
         std::ranges::find(kRefused, signal) != std::end(kRefused);
}

}  // namespace

std::vector<std::uint64_t> SignalBreakpoint::addresses(lldb::SBModule module) {
  return sites_in(module, {"sigaction", "__sigaction"});
}

std::string SignalBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {} set by other code than Go's, {} that may break Go",
                                escaped(request_.words), counts_.all, counts_.breaking);
  if (counts_.untold != 0) out += fmt::format(", {} that cannot be told", counts_.untold);
  return out;
}

TargetBreakpoint::Outcome SignalBreakpoint::decide(const Visited& at) {
  if (!is_new(at) || was_passed_on(at)) return {};
  const Stop& stop = *at.stop;
  const auto number = register_of(at.frame, "rdi"), pointer = register_of(at.frame, "rsi");
  if (!number || !pointer) {
    ++counts_.untold;
    return {.stops = true, .text = "cgo break: registers are missing\n", .event = {}};
  }
  if (*pointer == 0) return {};  // Asks only.
  const auto signal = static_cast<std::uint32_t>(*number);
  const CollectedStack stack = collect_stack(stop, owner_of(at.thread()));
  if (is_inner(stack.stack)) return {};
  const auto bytes = read_bytes(stop.debuggee->memory(), {*pointer}, SignalAction::kLibcBytes);
  const auto action =
      bytes ? decode_libc_signal_action(*bytes) : Result<SignalAction>(bytes.error());
  if (is_by_go(stack.stack)) {
    others_.erase(signal);
    return {};
  }
  ++counts_.all;
  std::string text =
      fmt::format("#{} {}: set by {}\n", counts_.all,
                  signal >= 1 && signal <= kMostSignals ? signal_name(static_cast<int>(signal))
                                                        : fmt::format("signal {}", signal),
                  setter_in(stack.stack));
  if (!action) {
    ++counts_.untold;
    text += fmt::format("  what to cannot be told: {}\n", escaped(action.error().message));
    return shown(std::move(text), stack);
  }
  text += action_text(stop, *action);
  if (is_refused(signal)) {
    text += "  this is refused (EINVAL): nothing is set\n";
    return request_.all ? shown(std::move(text), stack) : Outcome{};
  }
  const bool breaks = add_verdict(stop, static_cast<int>(signal), *action, text);
  counts_.breaking += breaks;
  if (!breaks && !request_.all) return {};
  return shown(std::move(text), stack);
}

bool SignalBreakpoint::add_verdict(const Stop& stop, int signal, const SignalAction& action,
                                   std::string& text) {
  const HandlerVerdict verdict = judge_handler(stop, signal, action);
  if (verdict.gives_back) text += "  this is Go's own handler\n";
  if (verdict.off_stack)
    text +=
        "  WITHOUT SA_ONSTACK: on a thread that runs Go it would run on the small stack of a "
        "goroutine, and over other memory where that is too small; where it comes to Go's handler, "
        "Go ends the program (\"non-Go code set up signal handler without SA_ONSTACK flag\")\n";
  // Go does not notice that its own has been replaced before.
  const bool replaces = verdict.replaces && !others_.contains(static_cast<std::uint32_t>(signal));
  if (replaces)
    text += fmt::format("  in the place of Go's handler: {}\n", loss_text(signal, action));
  if (verdict.before_go)
    text += "  without SA_ONSTACK, but Go has not begun: it will set its own, or SA_ONSTACK\n";
  if (!verdict.known) text += "  whether Go has a handler for it is not known\n";
  if (verdict.gives_back)
    others_.erase(static_cast<std::uint32_t>(signal));
  else if (verdict.replaces)
    others_.insert(static_cast<std::uint32_t>(signal));
  return verdict.off_stack || replaces;
}

}  // namespace cgo
