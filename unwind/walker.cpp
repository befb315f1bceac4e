#include "unwind/walker.h"

#include <algorithm>
#include <cstring>

#include "unwind/go_frames.h"

namespace cgo {
namespace {

/// More than a C stack of the default 8 MB holds of the smallest frames.
constexpr std::size_t kMostFrames = 1'000'000;
constexpr std::size_t kUsualFrames = 16;

bool is_injected_call(FuncId callee) {
  return callee == FuncId::sigpanic || callee == FuncId::async_preempt ||
         callee == FuncId::debug_call_v2;
}

/// Handlers that the kernel starts: they return into the trampoline, which no call precedes.
bool is_signal_entry(const GoFunction& function) {
  return function.name == "runtime.sigtramp" || function.name == "runtime.cgoSigtramp" ||
         function.name == "runtime.sigprofNonGoWrapper";
}

bool is_asmcgocall(const CodeInfo& info) {
  return info.go &&
         (info.go->id == FuncId::asmcgocall || info.go->name == "runtime.asmcgocall_no_g" ||
          info.go->name == "runtime.asmcgocall_landingpad");
}

/// Whether code of `function` before `pc` has a direct call of a function with this id: tells "on
/// the way in" from "on the way out" where registers alone do not.
bool has_called(const MemoryReader& memory, const GoRuntime& runtime, const GoFunction& function,
                Address pc, FuncId callee) {
  constexpr std::uint64_t kMost = 512;
  constexpr std::size_t kCallBytes = 5;
  auto code = read_bytes(memory, function.entry, pc.value - function.entry.value, kMost);
  if (!code) return false;
  for (std::size_t at = 0; at + kCallBytes <= code->size(); ++at) {
    if ((*code)[at] != std::byte{0xe8}) continue;
    std::int32_t displacement = 0;
    std::memcpy(&displacement, code->data() + at + 1, sizeof displacement);
    const Address next{function.entry.value + at + kCallBytes};
    const auto target = runtime.function_at(
        wrapping_add(next, static_cast<std::uint64_t>(std::int64_t{displacement})));
    if (target && target->id == callee) return true;
  }
  return false;
}

Error not_a_return_address(Address word, const char* why) {
  return Error{ErrorCode::malformed_data,
               "the word that should be a return address is " + hex(word) + ", " + why, word};
}

}  // namespace

Walk Walker::run(Position start) {
  position_ = std::move(start);
  while (advance() == Next::go_on && within_limits()) {
  }
  return finish();
}

bool Walker::within_limits() {
  ++steps_;
  const bool all_kept = limit_.outermost == 0 && walk_.elements.size() >= limit_.innermost;
  if (all_kept || steps_ >= kMostFrames) {
    if (all_kept) walk_.elements.resize(limit_.innermost, Gap{});
    walk_.stop = StopReason::frame_limit;
    walk_.error =
        Error{ErrorCode::limit_reached, "stopped after " + std::to_string(steps_) + " frames"};
    return false;
  }
  // Not at every frame: moving the outermost costs as much as there are.
  if (limit_.outermost > 0 && walk_.elements.size() >= limit_.innermost + 2 * limit_.outermost)
    leave_out_middle();
  return true;
}

void Walker::leave_out_middle() {
  if (walk_.elements.size() <= limit_.innermost + limit_.outermost) return;
  const auto first = walk_.elements.begin() + static_cast<std::ptrdiff_t>(limit_.innermost);
  const auto last = walk_.elements.end() - static_cast<std::ptrdiff_t>(limit_.outermost);
  left_out_ += static_cast<std::size_t>(std::count_if(first, last, [](const auto& element) {
    return std::holds_alternative<PhysicalFrame>(element);
  }));
  walk_.elements.erase(first, last);
}

Walk Walker::finish() {
  if (limit_.outermost > 0) leave_out_middle();
  if (left_out_ > 0)
    walk_.elements.insert(
        walk_.elements.begin() + static_cast<std::ptrdiff_t>(limit_.innermost),
        Gap{std::to_string(left_out_) + " frames are left out here (--limit shows more)"});
  walk_.recursion = meter_.found();
  return std::move(walk_);
}

PhysicalFrame& Walker::record(const CodeInfo* info, const char* rule) {
  if (walk_.elements.empty()) walk_.elements.reserve(kUsualFrames);
  // Made in its place: it is large, and there are millions of them.
  auto& element = walk_.elements.emplace_back(
      std::in_place_type<PhysicalFrame>, CodeAddress{position_.registers.pc(), position_.origin},
      position_.registers);
  auto& frame = std::get<PhysicalFrame>(element);
  if (info != nullptr) frame.go = info->go;
  frame.rule = rule;
  meter_.add(frame.pc.address);
  return frame;
}

void Walker::add_gap(std::string why) { walk_.elements.emplace_back(Gap{std::move(why)}); }

Walker::Next Walker::end(StopReason reason) {
  walk_.stop = reason;
  return Next::stop;
}

RuntimeContext& Walker::context_of(const GoRuntime& runtime) {
  for (RuntimeContext& context : contexts_)
    if (context.runtime == &runtime) return context;
  contexts_.push_back({.runtime = &runtime, .stacks = {}});
  return contexts_.back();
}

Walker::Next Walker::move_to(const Registers& registers, CodeAddress::Origin origin,
                             bool switched) {
  if (switched && !switch_targets_.emplace(registers.pc(), registers.sp()).second)
    return fail(StopReason::no_progress,
                {ErrorCode::malformed_data,
                 "a stack switch leads back to " + hex(registers.pc()) + ", already walked",
                 registers.sp()});
  position_ = {.registers = registers, .origin = origin, .innermost = false};
  return Next::go_on;
}

std::optional<Position> Walker::resume_on_goroutine() {
  for (RuntimeContext& context : contexts_) {
    if (context.user_seen || !context.stacks.user || context.runtime == trial_.runtime) continue;
    const Goroutine& g = *context.stacks.user;
    const bool in_syscall = g.syscall.sp && context.stacks.on_user_stack(g.syscall.sp);
    const SavedRegisters& saved = in_syscall ? g.syscall : g.sched;
    if (!context.stacks.on_user_stack(saved.sp)) continue;
    const CodeInfo info = code_at(saved.pc);
    if (!info.go || info.runtime != context.runtime || !info.frame_bytes) continue;
    Registers registers(env_.debuggee.arch());
    registers.set_pc(saved.pc);
    registers.set_sp(saved.sp);
    if (saved.bp) registers.set_fp(saved.bp);
    if (info.go->id == FuncId::systemstack_switch) {
      auto outward = step_go(memory_, *info.frame_bytes, registers);
      if (!outward || !code_at(outward->caller.pc()).go) continue;
      registers = outward->caller;
    }
    context.user_seen = true;
    return Position{
        .registers = registers, .origin = CodeAddress::Origin::return_address, .innermost = false};
  }
  return std::nullopt;
}

Walker::Next Walker::fail(StopReason reason, Error error) {
  if (auto resumed = resume_on_goroutine()) {
    add_gap("frames are missing here: " + error.message);
    position_ = std::move(*resumed);
    return Next::go_on;
  }
  walk_.stop = reason;
  walk_.error = std::move(error);
  return Next::stop;
}

Walker::Next Walker::advance() {
  const Address pc = position_.registers.pc();
  const CodeInfo info = code_at(pc);
  if (info.signal_return) return advance_signal();
  return info.go ? advance_go(info) : advance_c(info);
}

Walker::Next Walker::advance_signal() {
  const Address ucontext = position_.registers.sp();
  const CodeInfo info = code_at(position_.registers.pc());
  PhysicalFrame& frame = record(&info, "kernel signal frame");
  // It is returned to, not called: its own address is what counts.
  frame.pc.origin = CodeAddress::Origin::program_counter;
  frame.crossing = Crossing::signal;
  auto interrupted = registers_from_ucontext(memory_, env_.debuggee.arch(), ucontext);
  if (!interrupted) return fail(StopReason::bad_memory, std::move(interrupted).error());
  frame.cfa = interrupted->sp();
  const Next next = move_to(*interrupted, CodeAddress::Origin::program_counter, true);
  position_.innermost = true;
  return next;
}

Walker::Next Walker::step_without_rule(Error why) {
  const Registers& registers = position_.registers;
  const Address pc = registers.pc();
  const CodeInfo info = code_at(pc);
  // A call to an address that cannot be executed, or to a function without a rule that has not
  // begun: not one instruction of the callee ran, so its return address is still where the call put
  // it.
  const bool at_entry = env_.debuggee.images().symbol_beginning_at(pc) != nullptr;
  if (position_.innermost && (!info.executable || at_entry)) {
    auto word = read_pointer(memory_, registers.sp());
    if (word && code_at(*word).executable && code_at(*word).after_call) {
      Registers caller = registers;
      caller.set_pc(*word);
      caller.set_sp({registers.sp().value + registers.arch().return_address_bytes});
      PhysicalFrame& frame =
          record(nullptr, info.executable ? "at its function's entry"
                                          : "call to an address that is not code");
      frame.cfa = caller.sp();
      if (is_asmcgocall(code_at(*word))) frame.crossing = Crossing::go_to_c;
      return move_to(caller, CodeAddress::Origin::return_address, false);
    }
  }
  auto crosscall = step_crosscall1(env_.debuggee.memory(), memory_, registers);
  if (!position_.innermost && crosscall) {
    record(nullptr, "crosscall1: six pushes").cfa = crosscall->cfa;
    return move_to(crosscall->caller, CodeAddress::Origin::return_address, false);
  }
  record(nullptr, "");
  const bool memory_failed = why.code == ErrorCode::unreadable_memory;
  return fail(memory_failed ? StopReason::bad_memory : StopReason::no_rule, std::move(why));
}

Walker::Next Walker::advance_c(const CodeInfo& info) {
  const CodeAddress pc{position_.registers.pc(), position_.origin};
  if (!info.executable) {
    Error why{ErrorCode::not_found, hex(pc.address) + " is not executable memory", pc.address};
    return step_without_rule(std::move(why));
  }
  auto step = env_.c_frames.step(memory_, env_.debuggee.images(), position_.registers, pc);
  if (!step) return step_without_rule(std::move(step).error());
  PhysicalFrame& frame = record(&info, ".eh_frame");
  frame.cfa = step->cfa;
  if (step->outermost) return end(StopReason::thread_entry);
  if (!step->caller.pc())
    return fail(StopReason::no_rule, not_a_return_address({}, "as if it had been overwritten"));
  if (step->cfa <= position_.registers.sp())
    return fail(StopReason::no_progress,
                {ErrorCode::malformed_data, "the stack pointer does not move outward", step->cfa});
  const CodeInfo caller = code_at(step->caller.pc());
  if (!caller.executable)
    return fail(StopReason::no_rule, not_a_return_address(step->caller.pc(), "not executable"));
  if (!caller.after_call && !caller.signal_return)
    return fail(StopReason::no_rule, not_a_return_address(step->caller.pc(), "not after a call"));
  if (is_asmcgocall(caller)) frame.crossing = Crossing::go_to_c;
  return move_to(step->caller, CodeAddress::Origin::return_address, false);
}

Walker::Next Walker::advance_go(const CodeInfo& info) {
  if (!info.frame_bytes) {
    record(&info, "");
    return fail(StopReason::no_rule,
                {ErrorCode::malformed_data,
                 "pclntab has no frame size for " + std::string(info.go->name) + " at " +
                     hex(position_.registers.pc()),
                 position_.registers.pc()});
  }
  RuntimeContext& context = context_of(*info.runtime);
  const SwitchSite site{.memory = memory_,
                        .function = *info.go,
                        .version = info.runtime->version(),
                        .frame_bytes = *info.frame_bytes,
                        .registers = position_.registers,
                        .innermost = position_.innermost};
  const bool on_user = context.stacks.on_user_stack(position_.registers.sp());
  if (on_user) context.user_seen = true;
  if (info.go->name == "runtime.fatalpanic") saw_panic_printed_ = true;
  if (info.go->id == FuncId::gopanic || info.go->name == "runtime.Goexit") saw_panic_ = true;
  if (info.go->id == FuncId::cgocallback && on_user) return leave_callback(context, site);

  auto switched = switch_stack(context.stacks, site);
  if (!switched) {
    record(&info, "");
    const bool unreadable = switched.error().code == ErrorCode::unreadable_memory;
    return fail(unreadable ? StopReason::bad_memory : StopReason::no_rule,
                std::move(switched).error());
  }
  if (*switched) return follow(**switched, info, context);
  return ordinary_go_step(info, context, site);
}

Walker::Next Walker::follow(const Switched& switched, const CodeInfo& info,
                            RuntimeContext& context) {
  PhysicalFrame& frame = record(&info, switched.rule);
  frame.cfa = switched.cfa;
  frame.crossing = switched.crossing;
  if (switched.uses_vdso) context.stacks.vdso_sp = {};
  if (switched.ends_stack) return end(switched.stop);
  const CodeInfo target = code_at(switched.registers.pc());
  if (!target.go)
    return fail(StopReason::no_rule, not_a_return_address(switched.registers.pc(),
                                                          "not Go code (after a stack switch)"));
  const bool to_goroutine = context.stacks.on_user_stack(switched.registers.sp());
  if (info.go->id == FuncId::asmcgocall && info.runtime == trial_.runtime && to_goroutine) {
    trial_.arrived =
        Position{.registers = switched.registers, .origin = switched.origin, .innermost = false};
    return Next::stop;
  }
  return move_to(switched.registers, switched.origin, true);
}

Walker::Next Walker::ordinary_go_step(const CodeInfo& info, RuntimeContext& context,
                                      const SwitchSite& site) {
  auto step = step_go(memory_, site.frame_bytes, position_.registers);
  PhysicalFrame& frame = record(&info, "pclntab");
  if (!step) return fail(StopReason::bad_memory, std::move(step).error().in(site.function.name));
  const Address caller_pc = step->caller.pc();
  const CodeInfo caller = code_at(caller_pc);
  if (info.go->id == FuncId::mstart && (caller.go || !caller_pc))
    return end(StopReason::thread_entry);
  frame.cfa = step->cfa;
  if (context.stacks.on_user_stack(site.registers.sp()) &&
      step->cfa > context.stacks.user->stack.end)
    return fail(StopReason::bad_memory, {ErrorCode::malformed_data,
                                         "the frame ends beyond its goroutine's stack", step->cfa});
  if (!caller.executable)
    return fail(StopReason::no_rule, not_a_return_address(caller_pc, "not executable"));
  const bool injected = is_injected_call(info.go->id);
  const bool to_goexit = caller.go && caller.go->id == FuncId::goexit;
  const bool to_trampoline = is_signal_entry(*info.go) && caller.signal_return;
  if (!caller.after_call && !injected && !to_goexit && !to_trampoline)
    return fail(StopReason::no_rule, not_a_return_address(caller_pc, "not after a call"));
  if (info.go->name == "crosscall2") {
    frame.crossing = Crossing::c_to_go;
    if (auto restored = restore_at_crosscall2(info, *step); !restored)
      return fail(StopReason::bad_memory, std::move(restored).error());
  }
  const auto origin =
      injected ? CodeAddress::Origin::program_counter : CodeAddress::Origin::return_address;
  return move_to(step->caller, origin, false);
}

Result<void> Walker::restore_at_crosscall2(const CodeInfo& info, GoStep& step) const {
  // Before its call crosscall2 has not changed the C caller's registers, nor saved all of them.
  const MemoryReader& memory = env_.debuggee.memory();
  const Address pc = position_.registers.pc();
  if (position_.innermost &&
      !has_called(memory, *info.runtime, *info.go, pc, FuncId::cgocallback)) {
    for (std::uint8_t number : env_.debuggee.arch().callee_saved)
      if (const auto value = position_.registers.get(number);
          value && number != env_.debuggee.arch().dwarf_fp)
        step.caller.set(number, *value);
    return {};
  }
  return restore_c_registers(memory_, info.runtime->version(), step.cfa, step.caller);
}

}  // namespace cgo
