#include "lldb-plugin/longjmp_breakpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/frame_registers.h"
#include "stops/long_jump.h"
#include "stops/stack_places.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Kind = JumpFate::Kind;

constexpr std::size_t kMostFrames = 8;

/// The frames of Go that are passed: the program's own, or the runtime's where there are no others.
std::string passed_text(const Stack& stack, const JumpFate& fate) {
  std::vector<std::string> own, all;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    // A tail call of C that leads there has no frame of its own.
    if (frame == nullptr || frame->tail_call ||
        std::ranges::find(fate.go, frame->physical) == fate.go.end())
      continue;
    all.push_back(place_text(*frame));
    if (!frame->plumbing) own.push_back(all.back());
  }
  const std::vector<std::string>& shown = own.empty() ? all : own;
  std::string out =
      fmt::format("  jumps over {} frame{} of Go:\n", shown.size(), shown.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < shown.size() && i < kMostFrames; ++i)
    out += fmt::format("    {}\n", shown[i]);
  if (shown.size() > kMostFrames)
    out += fmt::format("    … and {} more\n", shown.size() - kMostFrames);
  return out;
}

/// What Go makes of it. Frames of its signal handling are no call from C.
std::string consequence_text(const JumpFate& fate, const CollectedStack& collected) {
  if (!fate.over_callback) return {};
  if (!fate.within_go)
    return "  Go's M stays with this thread as if it were still in Go; what its next call into Go "
           "does is undefined\n";
  std::string out = "  the runtime goes on as if they were there";
  if (collected.goroutine && collected.goroutine->id != 0)
    out += fmt::format(" (goroutine {})", collected.goroutine->id);
  return out +
         ": when C returns to Go, Go ends the program (\"exitsyscall: syscall frame is no longer "
         "valid\"), or works on a stack that is wrong\n";
}

std::string fate_text(const JumpFate& fate, const CollectedStack& collected) {
  switch (fate.kind) {
    case Kind::returned:
      return "  the function that called setjmp has returned: what happens is undefined\n";
    case Kind::elsewhere:
      return "  to another stack than this one (a coroutine's, or a setjmp of another thread)\n";
    case Kind::unknown:
      return fmt::format("  what it jumps over cannot be told: {}\n", escaped(fate.why));
    case Kind::lands:
      break;
  }
  if (fate.go.empty())
    return fmt::format("  stays within C, passes {} frame{}\n", fate.c_frames,
                       fate.c_frames == 1 ? "" : "s");
  return passed_text(collected.stack, fate) + consequence_text(fate, collected);
}

}  // namespace

std::vector<std::uint64_t> LongjmpBreakpoint::addresses(lldb::SBModule module) {
  return functions_named(module, {"longjmp", "_longjmp", "siglongjmp", "__longjmp_chk"});
}

std::string LongjmpBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {} jumps, {} over Go", escaped(request_.words),
                                counts_.all, counts_.over_go);
  if (counts_.untold != 0) out += fmt::format(", {} that cannot be told", counts_.untold);
  return out;
}

TargetBreakpoint::Outcome LongjmpBreakpoint::decide(const Visited& at) {
  ++counts_.all;
  const auto buffer = register_of(at.frame, "rdi"), value = register_of(at.frame, "rsi"),
             thread = register_of(at.frame, "fs_base");
  const auto target =
      buffer && thread ? read_jump_buffer(at.stop->debuggee->memory(), *at.stop->program->images,
                                          {*buffer}, {*thread})
                       : Result<JumpTarget>(Error{ErrorCode::not_found, "registers are missing"});
  const CollectedStack stack = collect_stack(*at.stop, owner_of(at.thread()));
  const JumpFate fate = target ? jump_fate(at.stop->debuggee->memory(), *at.stop->program->images,
                                           stack.walk, *target)
                               : JumpFate{.kind = Kind::unknown, .why = target.error().message};
  const bool over_go = fate.kind == Kind::lands && !fate.go.empty();
  counts_.over_go += over_go;
  counts_.untold += fate.kind == Kind::unknown;
  // One that leads within C, or to a stack of the program's own making, is how C does it.
  const bool harmless = (fate.kind == Kind::lands && !over_go) || fate.kind == Kind::elsewhere;
  if (harmless && !request_.all) return {};
  std::string text = fmt::format("#{} longjmp by {}\n", counts_.all, place_in(stack.stack, 1));
  if (target)
    text += fmt::format("  to {}, where setjmp returns {}\n",
                        code_text(*at.stop->program->images, at.stop->program->dwarf,
                                  {target->pc, CodeAddress::Origin::return_address}),
                        value.value_or(0) == 0 ? 1 : static_cast<std::int32_t>(*value));
  text += fate_text(fate, stack);
  return shown(std::move(text), stack);
}

}  // namespace cgo
