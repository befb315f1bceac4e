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

/// The physical frame that sets the handler: the innermost one behind the C library's ways to do
/// it.
std::size_t setter_in(const Stack& stack) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->physical != 0 &&
        std::ranges::find(kWrappers, frame->function) == std::end(kWrappers))
      return frame->physical;
  return 0;
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
      if (frame->physical != 0 && std::ranges::find(kSet, frame->function) != std::end(kSet))
        return true;
    }
  return false;
}

std::string action_text(const Stop& stop, const SignalAction& action) {
  if (action.is_default()) return "the default action (SIG_DFL)";
  if (action.is_ignored()) return "ignored (SIG_IGN)";
  return "handler " + format_place(place_of_function(*stop.program, action.handler));
}

/// What Go loses with its handler.
std::string loss_text(int number, const SignalAction& action) {
  switch (number) {
    case 8:
      return "a division by zero in Go is no panic any more";
    case 7:
    case 11:
      return "a nil dereference in Go is no panic any more";
    case 23:
      return "goroutines that run long are not preempted any more";
    case 27:
      return "CPU profiles stay empty";
    default:
      return action.has_handler() ? "Go sees it only where the new one hands it on"
                                  : "Go does not see it any more";
  }
}

}  // namespace

std::vector<std::uint64_t> SignalBreakpoint::addresses(lldb::SBModule module) {
  return functions_named(module, {"sigaction", "__sigaction"});
}

std::string SignalBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {} set by other code than Go's, {} that break Go",
                                escaped(request_.words), counts_.all, counts_.breaking);
  if (counts_.untold != 0) out += fmt::format(", {} that cannot be told", counts_.untold);
  return out;
}

TargetBreakpoint::Outcome SignalBreakpoint::decide(const Visited& at) {
  const Stop& stop = *at.stop;
  const auto number = register_of(at.frame, "rdi"), pointer = register_of(at.frame, "rsi");
  if (!number || !pointer) {
    ++counts_.untold;
    return {.stops = true, .text = "cgo break: registers are missing\n", .event = {}};
  }
  if (*pointer == 0) return {};  // Asks only.
  const auto signal = static_cast<std::uint32_t>(*number);
  const CollectedStack stack = collect_stack(stop, owner_of(at.thread()));
  const std::size_t setter = setter_in(stack.stack);
  if (is_by_go(stack.stack) || is_inner(stack.stack)) return {};
  ++counts_.all;
  std::string text =
      fmt::format("#{} {}: set by {}\n", counts_.all,
                  signal >= 1 && signal <= kMostSignals ? signal_name(static_cast<int>(signal))
                                                        : fmt::format("signal {}", signal),
                  place_in(stack.stack, setter));
  const auto bytes = read_bytes(stop.debuggee->memory(), {*pointer}, SignalAction::kLibcBytes);
  const auto action =
      bytes ? decode_libc_signal_action(*bytes) : Result<SignalAction>(bytes.error());
  if (!action || signal < 1 || signal > kMostSignals) {
    ++counts_.untold;
    text += fmt::format("  what to cannot be told: {}\n",
                        action ? "there is no such signal" : escaped(action.error().message));
    return shown(std::move(text), stack);
  }
  text += "  to " + action_text(stop, *action);
  if (action->has_handler()) {
    std::string flags;
    for (const std::string& flag : signal_action_flags(action->flags))
      flags += (flags.empty() ? "" : "|") + flag;
    text += fmt::format(", flags {}", flags.empty() ? "none" : flags);
  }
  text += '\n';
  const HandlerVerdict verdict = judge_handler(stop, static_cast<int>(signal), *action);
  if (verdict.gives_back) text += "  this is Go's own handler\n";
  if (verdict.off_stack)
    text +=
        "  WITHOUT SA_ONSTACK: on a thread that runs Go it would run on the small stack of a "
        "goroutine, and over other memory where that is too small; where it comes to Go's handler, "
        "Go ends the program (\"non-Go code set up signal handler without SA_ONSTACK flag\")\n";
  if (verdict.replaces)
    text += fmt::format("  in the place of Go's handler: {}\n",
                        loss_text(static_cast<int>(signal), *action));
  if (verdict.before_go)
    text += "  without SA_ONSTACK, but Go has not begun: it will set its own, or SA_ONSTACK\n";
  if (!verdict.known) text += "  whether Go has a handler for it is not known\n";
  const bool breaks = verdict.off_stack || verdict.replaces;
  counts_.breaking += breaks;
  if (!breaks && !request_.all) return {};
  return shown(std::move(text), stack);
}

}  // namespace cgo
