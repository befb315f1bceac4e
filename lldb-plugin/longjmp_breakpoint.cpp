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
constexpr const char* kNames[] = {"longjmp", "_longjmp", "siglongjmp", "__longjmp_chk"};

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
      return fmt::format(
          "  to another stack than this one (a coroutine's, or a setjmp of another thread)\n{}",
          fate.over_callback ? passed_text(collected.stack, fate) +
                                   "  they stay behind on this stack, and the runtime goes on as "
                                   "if the thread were in them\n"
                             : "");
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

/// The stack that an address is on, as far as its bounds are known.
AddressRange stack_at(const Stop& stop, Address address) {
  using What = AddressDescription::Kind;
  const AddressDescription what = stop.addresses->describe(address);
  const bool is_stack = what.kind == What::c_stack || what.kind == What::system_stack ||
                        what.kind == What::signal_stack;
  return is_stack ? AddressRange{what.base, wrapping_add(what.base, what.bytes)} : AddressRange{};
}

bool is_longjmp(std::string_view function) {
  function = plain_name(function);
  return std::ranges::find(kNames, function) != std::end(kNames) ||
         function == "__libc_siglongjmp" || function == "__libc_longjmp";
}

/// Whether one of these functions was called by another one, which was arrived at before.
bool is_inner(const Stack& stack) {
  for (const StackElement& element : stack.elements)
    if (const auto* frame = std::get_if<Frame>(&element); frame != nullptr && frame->physical == 1)
      return is_longjmp(frame->function);
  return false;
}

/// glibc's checked longjmp goes outward only, but from an alternate signal stack. Source: glibc
/// sysdeps/unix/sysv/linux/x86_64/____longjmp_chk.S.
bool is_refused(lldb::SBFrame frame, const JumpTarget& target) {
  const char* symbol = frame.GetSymbol().GetName();
  return symbol != nullptr && std::string_view(symbol) == "__longjmp_chk" &&
         target.sp < Address{frame.GetSP()};
}

}  // namespace

std::vector<std::uint64_t> LongjmpBreakpoint::addresses(lldb::SBModule module) {
  return sites_in(module, {kNames[0], kNames[1], kNames[2], kNames[3]});
}

std::string LongjmpBreakpoint::summary() {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("cgo {}: {} jump{}, {} over Go", escaped(request_.words),
                                counts_.all, counts_.all == 1 ? "" : "s", counts_.over_go);
  if (counts_.untold != 0) out += fmt::format(", {} that cannot be told", counts_.untold);
  return out;
}

TargetBreakpoint::Outcome LongjmpBreakpoint::decide(const Visited& at) {
  if (!is_new(at) || was_passed_on(at)) return {};
  const MemoryReader& memory = at.stop->debuggee->memory();
  const ImageMap& images = *at.stop->program->images;
  const auto buffer = register_of(at.frame, "rdi"), value = register_of(at.frame, "rsi"),
             thread = register_of(at.frame, "fs_base");
  const auto target =
      buffer && thread ? read_jump_buffer(memory, images, {*buffer}, {*thread})
                       : Result<JumpTarget>(Error{ErrorCode::not_found, "registers are missing"});
  const CollectedStack stack = collect_stack(*at.stop, owner_of(at.thread()));
  if (is_inner(stack.stack)) return {};
  ++counts_.all;
  const JumpFate fate =
      target ? jump_fate(memory, images, stack.walk,
                         stack_at(*at.stop, {lldb::SBFrame(at.frame).GetSP()}), *target)
             : JumpFate{.kind = Kind::unknown, .why = target.error().message};
  const bool refused = target && is_refused(at.frame, *target);
  const bool over_go = fate.kind == Kind::elsewhere ? fate.over_callback
                                                    : fate.kind == Kind::lands && !fate.go.empty();
  counts_.over_go += over_go;
  counts_.untold += fate.kind == Kind::unknown;
  // One that leads within C, or to a stack of the program's own making, is how C does it.
  const bool known = fate.kind == Kind::lands || fate.kind == Kind::elsewhere;
  if (known && !over_go && !refused && !request_.all) return {};
  std::string text = fmt::format("#{} longjmp by {}\n", counts_.all, place_in(stack.stack, 1));
  if (target) {
    // It is an int; setjmp never returns 0 by a jump.
    const auto number = static_cast<std::int32_t>(value.value_or(0));
    text += fmt::format("  to {}, where setjmp returns {}\n",
                        code_text(images, at.stop->program->dwarf,
                                  {target->pc, CodeAddress::Origin::return_address}),
                        number == 0 ? 1 : number);
  }
  if (refused)
    text +=
        "  __longjmp_chk ends the program (\"longjmp causes uninitialized stack frame\"), unless "
        "it is called on an alternate signal stack\n";
  text += fate_text(fate, stack);
  return shown(std::move(text), stack);
}

}  // namespace cgo
