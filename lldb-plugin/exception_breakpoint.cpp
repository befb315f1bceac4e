#include "lldb-plugin/exception_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/frame_registers.h"
#include "stops/exception_search.h"
#include "stops/stack_places.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Kind = ExceptionFate::Kind;

/// The unwinder's ways in, in libgcc_s or wherever it was linked to: every throw goes through one,
/// and what is thrown on through the first one too (_Unwind_Resume_or_Rethrow calls it).
constexpr const char* kRaise = "_Unwind_RaiseException";
constexpr const char* kForced = "_Unwind_ForcedUnwind";

std::string exception_text(const ThrownException& exception) {
  if (!exception.is_cxx) return "an exception of " + escaped(exception.runtime);
  std::string out = "C++ exception " + escaped(exception.type_name);
  if (exception.what) out += fmt::format(": \"{}\"", escaped(*exception.what));
  return out;
}

std::string fate_text(const ExceptionFate& fate, const Stack& stack) {
  const std::string where = function_in(stack, fate.physical);
  switch (fate.kind) {
    case Kind::caught:
      return fmt::format("caught by {}{}, catch ({})", where,
                         fate.file.empty()
                             ? std::string()
                             : fmt::format(" at {}:{}", escaped(fate.file), fate.line),
                         escaped(fate.handler));
    case Kind::forbidden:
      return fmt::format("ends in {}, which lets no exception out (noexcept): std::terminate",
                         where);
    case Kind::boundary:
      return fmt::format(
          "no handler before the boundary: it comes to Go ({}), the process will terminate",
          place_in(stack, fate.physical));
    case Kind::no_rule:
      return fmt::format("no handler: {}; the process will terminate", escaped(fate.why));
    case Kind::unknown:
      return fmt::format("where it is caught cannot be told: {}", escaped(fate.why));
  }
  return {};
}

/// The physical frame that throws, or that ends its thread: the innermost one that is neither the
/// unwinder's nor the C++ runtime's or the C library's way to it.
std::size_t thrower_in(const Stack& stack) {
  // Those of the C library are for programs that are linked statically.
  constexpr std::string_view kRuntime[] = {kRaise,
                                           "_Unwind_Resume_or_Rethrow",
                                           "__cxa_throw",
                                           "__cxa_rethrow",
                                           kForced,
                                           "std::rethrow_exception",
                                           "__pthread_unwind",
                                           "__do_cancel",
                                           "__pthread_exit",
                                           "pthread_exit",
                                           "sigcancel_handler"};
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || is_libc(frame->module)) continue;
    if (std::ranges::none_of(kRuntime, [&](std::string_view name) {
          return plain_name(frame->function).starts_with(name);
        }))
      return frame->physical;
  }
  return 0;
}

/// Whether std::terminate throws the exception on to itself, to print what it is: its handler has
/// no name in a stripped library.
bool is_printed_at_the_end(const Stack& stack, std::size_t thrower) {
  constexpr std::size_t kFramesToTerminate = 4;
  // noexcept ends without std::terminate on the stack.
  constexpr std::string_view kEnds[] = {"std::terminate()", "__gxx_personality_v0",
                                        "__cxa_call_terminate", "__cxa_call_unexpected"};
  bool handler = false, terminate = false;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->physical > thrower + kFramesToTerminate) continue;
    if (frame->physical == thrower)
      handler = frame->function.empty() ||
                frame->function.find("__verbose_terminate_handler") != frame->function.npos;
    terminate |= std::ranges::find(kEnds, frame->function) != std::end(kEnds);
  }
  return handler && terminate;
}

bool is_named(lldb::SBFrame frame, const char* name) {
  const char* symbol = frame.GetSymbol().GetName();
  return symbol != nullptr && std::string_view(symbol) == name;
}

/// The function that decides where unwinding by force ends; the C library's one ends the thread.
std::string who_forces(const Stop& stop, Address decider) {
  const Image* image = stop.program->images->find(decider);
  const ElfSymbol* symbol = stop.program->images->symbol_at(decider);
  if ((image != nullptr && is_libc(image->name())) ||
      (symbol != nullptr && symbol->name == "unwind_stop"))
    return "the thread ends (pthread_exit, or it was cancelled)";
  return fmt::format("how far is decided by {}",
                     symbol == nullptr ? hex(decider) : escaped(symbol->name));
}

std::string forced_text(const ForcedFate& fate, const CollectedStack& collected) {
  const Stack& stack = collected.stack;
  std::string out;
  for (const std::size_t physical : fate.must_throw_on)
    out += fmt::format(
        "  enters a catch of {}, which has to throw it on: else the C library ends the "
        "process (\"exception not rethrown\")\n",
        function_in(stack, physical));
  switch (fate.kind) {
    case ForcedFate::Kind::forbidden:
      return out + fmt::format("  comes to {}, which lets nothing out (noexcept): std::terminate\n",
                               function_in(stack, fate.physical));
    case ForcedFate::Kind::unknown:
      return out + fmt::format("  what it goes through cannot be told: {}\n", escaped(fate.why));
    case ForcedFate::Kind::through:
      break;
  }
  const bool throws_on = !fate.must_throw_on.empty();
  if (!fate.comes_to_go && !fate.why.empty())
    return out + fmt::format("  frames from {} on are jumped over: {}\n",
                             function_in(stack, fate.physical), escaped(fate.why));
  if (!fate.comes_to_go)
    return out + (throws_on ? "  no other handler can end it; thrown on, it is no error\n"
                            : "  no handler can end it; it is no error, the process goes on\n");
  out += fmt::format("  jumps over Go ({}): its deferred calls do not run",
                     place_in(stack, fate.physical));
  if (collected.goroutine && collected.goroutine->id != 0)
    out += fmt::format(", and its call never comes back to goroutine {}", collected.goroutine->id);
  return out + '\n';
}

}  // namespace

std::vector<std::uint64_t> ExceptionBreakpoint::addresses(lldb::SBModule module) {
  // glibc has a function of the second name of its own, which calls the unwinder's.
  std::vector<std::uint64_t> out = sites_in(module, {kRaise});
  return out.empty() ? out : sites_in(module, {kRaise, kForced});
}

std::string ExceptionBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {} thrown, {} without a handler", escaped(request_.words),
                                counts_.thrown, counts_.uncaught);
  if (counts_.untold != 0) out += fmt::format(", of {} that cannot be told", counts_.untold);
  if (counts_.forced != 0) out += fmt::format("; {} unwound by force", counts_.forced);
  return out;
}

TargetBreakpoint::Outcome ExceptionBreakpoint::decide(const Visited& at) {
  if (!is_new(at) || was_passed_on(at)) return {};
  const CollectedStack stack = collect_stack(*at.stop, owner_of(at.thread()));
  return is_named(at.frame, kForced) ? decide_forced(at, stack) : decide_thrown(at, stack);
}

TargetBreakpoint::Outcome ExceptionBreakpoint::decide_forced(const Visited& at,
                                                             const CollectedStack& stack) {
  ++counts_.forced;
  const ForcedFate fate =
      forced_fate(at.stop->debuggee->memory(), *at.stop->program->images, stack.walk);
  // What ends the process is of interest there; a thread that ends is no exception.
  if (request_.uncaught && fate.kind != ForcedFate::Kind::forbidden) return {};
  const auto decider = register_of(at.frame, "rsi");
  return shown(
      fmt::format("unwinding by force: {}\n  begun by {}\n{}",
                  decider ? who_forces(*at.stop, {*decider}) : "by whom is not known",
                  place_in(stack.stack, thrower_in(stack.stack)), forced_text(fate, stack)),
      stack);
}

TargetBreakpoint::Outcome ExceptionBreakpoint::decide_thrown(const Visited& at,
                                                             const CollectedStack& stack) {
  const MemoryReader& memory = at.stop->debuggee->memory();
  const ImageMap& images = *at.stop->program->images;
  const std::size_t thrower = thrower_in(stack.stack);
  if (is_printed_at_the_end(stack.stack, thrower)) return {};
  const auto header = register_of(at.frame, "rdi");
  const auto read = header
                        ? read_exception(memory, images, {*header})
                        : Error{ErrorCode::not_found, "the register with its address is unknown"};
  const ThrownException exception = read ? *read : ThrownException{.runtime = "an unknown runtime"};
  const ExceptionFate fate =
      exception_fate(memory, images, at.stop->program->dwarf, stack.walk, exception);
  ++counts_.thrown;
  const bool caught = fate.kind == Kind::caught;
  counts_.uncaught += !caught && fate.kind != Kind::unknown;
  counts_.untold += fate.kind == Kind::unknown;
  if (request_.uncaught && caught) return {};
  std::string text = fmt::format("#{} {}\n", counts_.thrown, exception_text(exception));
  if (!read) text += fmt::format("  its type: not known ({})\n", escaped(read.error().message));
  text += fmt::format("  thrown by {}\n", place_in(stack.stack, thrower));
  text += fmt::format("  {}\n", fate_text(fate, stack.stack));
  return shown(std::move(text), stack);
}

}  // namespace cgo
