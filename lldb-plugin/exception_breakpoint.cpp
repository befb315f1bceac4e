#include "lldb-plugin/exception_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/newer_api.h"
#include "lldb-plugin/stack_collection.h"
#include "stops/exception_search.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Kind = ExceptionFate::Kind;

constexpr auto kPatience = std::chrono::seconds(3);
/// The unwinder's ways in, in libgcc_s or wherever it was linked to: every throw goes through one,
/// and what is thrown on through the first one too (_Unwind_Resume_or_Rethrow calls it).
constexpr const char* kRaise = "_Unwind_RaiseException";
constexpr const char* kForced = "_Unwind_ForcedUnwind";

std::string frame_text(const CollectedStack& stack, std::size_t physical) {
  for (const StackElement& element : stack.stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element);
        frame != nullptr && frame->physical == physical && !frame->inlined)
      return frame->function.empty() ? hex(frame->pc.address) : escaped(frame->function);
  return "?";
}

/// The innermost frame from `physical` on that is not plumbing.
std::string place_text(const CollectedStack& stack, std::size_t physical) {
  for (const StackElement& element : stack.stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->physical < physical || frame->plumbing) continue;
    std::string out = frame->function.empty() ? hex(frame->pc.address) : escaped(frame->function);
    if (!frame->file.empty()) out += fmt::format(" at {}:{}", escaped(frame->file), frame->line);
    return out;
  }
  return "?";
}

std::string exception_text(const ThrownException& exception) {
  if (exception.forced) return "forced unwinding (a thread that is cancelled, or ends itself)";
  if (!exception.is_cxx) return "an exception of " + escaped(exception.runtime);
  std::string out = "C++ exception " + escaped(exception.type_name);
  if (exception.what) out += fmt::format(": \"{}\"", escaped(*exception.what));
  return out;
}

std::string fate_text(const ExceptionFate& fate, const CollectedStack& stack) {
  const std::string where = frame_text(stack, fate.physical);
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
          place_text(stack, fate.physical));
    case Kind::no_rule:
      return fmt::format("no handler: {}; the process will terminate", escaped(fate.why));
    case Kind::unknown:
      return fmt::format("where it is caught cannot be told: {}", escaped(fate.why));
  }
  return {};
}

/// The physical frame that throws: the innermost one that is neither the unwinder's nor the C++
/// runtime's way to it.
std::size_t thrower_in(const CollectedStack& stack) {
  constexpr std::string_view kRuntime[] = {kRaise, "_Unwind_Resume_or_Rethrow", "__cxa_throw",
                                           "__cxa_rethrow", "std::rethrow_exception"};
  for (const StackElement& element : stack.stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr) continue;
    if (std::ranges::none_of(
            kRuntime, [&](std::string_view name) { return frame->function.starts_with(name); }))
      return frame->physical;
  }
  return 0;
}

/// Whether std::terminate throws the exception on to itself, to print what it is: its handler has
/// no name in a stripped library.
bool is_printed_at_the_end(const CollectedStack& stack, std::size_t thrower) {
  constexpr std::size_t kFramesToTerminate = 4;
  // noexcept ends without std::terminate on the stack.
  constexpr std::string_view kEnds[] = {"std::terminate()", "__gxx_personality_v0",
                                        "__cxa_call_terminate", "__cxa_call_unexpected"};
  bool handler = false, terminate = false;
  for (const StackElement& element : stack.stack.elements) {
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

}  // namespace

std::vector<std::uint64_t> ExceptionBreakpoint::addresses(lldb::SBModule module) {
  std::vector<std::uint64_t> out;
  for (const char* name : {kRaise, kForced}) {
    lldb::SBSymbolContextList found = module.FindSymbols(name, lldb::eSymbolTypeCode);
    for (std::uint32_t i = 0; i < found.GetSize(); ++i)
      out.push_back(found.GetContextAtIndex(i).GetSymbol().GetStartAddress().GetFileAddress());
  }
  return out;
}

std::string ExceptionBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  return fmt::format("cgo {}: {} thrown, {} without a handler", escaped(request_.words), thrown_,
                     uncaught_);
}

TargetBreakpoint::Outcome ExceptionBreakpoint::arrived(Sessions& sessions, lldb::SBFrame frame,
                                                       lldb::SBBreakpointLocation) try {
  lldb::SBThread thread = frame.GetThread();
  lldb::SBProcess process = thread.GetProcess();
  const TargetLock lldb_lock(process.GetTarget(), kPatience);
  const auto session = sessions.use(process);
  const std::lock_guard lock(mutex_);
  if (!process_.IsValid() || process_.GetUniqueID() != process.GetUniqueID()) {
    process_ = process;
    thrown_ = uncaught_ = 0;
  }
  const auto stop = session->stop();
  if (!stop) return {.stops = true};
  const MemoryReader& memory = (*stop)->debuggee->memory();
  const ImageMap& images = *(*stop)->program->images;
  const Address header{frame.FindRegister("rdi").GetValueAsUnsigned()};
  const auto read = read_exception(memory, images, header);
  ThrownException exception = read ? *read : ThrownException{.runtime = "an unknown runtime"};
  exception.forced = is_named(frame, kForced);
  const CollectedStack stack = collect_stack(
      **stop, {.thread = ThreadInfo{.tid = thread.GetThreadID(), .index = thread.GetIndexID()}});
  const std::size_t thrower = thrower_in(stack);
  if (is_printed_at_the_end(stack, thrower)) return {};
  const ExceptionFate fate =
      exception_fate(memory, images, (*stop)->program->dwarf, stack.walk, exception);
  ++thrown_;
  const bool caught = fate.kind == Kind::caught;
  uncaught_ += caught ? 0 : 1;
  if (request_.uncaught && caught) return {};
  std::string text = fmt::format("#{} {}\n", thrown_, exception_text(exception));
  if (!read) text += fmt::format("  its type: not known ({})\n", escaped(read.error().message));
  text += fmt::format("  thrown by {}\n", place_text(stack, thrower));
  text += fmt::format("  {}\n", fate_text(fate, stack));
  if (!request_.log) text += format_stack(stack.stack, {});
  if (!request_.log) process.SetSelectedThread(thread);
  say(process.GetTarget().GetDebugger(), text);
  return {.stops = !request_.log};
} catch (const std::exception& error) {
  say(frame.GetThread().GetProcess().GetTarget().GetDebugger(),
      std::string("cgo break: an internal error: ") + error.what() + "\n");
  return {.stops = true};
}

}  // namespace cgo
