#include "unwind/unwinder.h"

#include "unwind/c_frames.h"
#include "unwind/code_info.h"
#include "unwind/contexts.h"
#include "unwind/walker.h"

namespace cgo {

struct UnwindCache::State {
  CFrames c_frames;
  CodeInfoCache code;
};

UnwindCache::UnwindCache() : state_(std::make_unique<State>()) {}
UnwindCache::~UnwindCache() = default;

struct Unwinder::State {
  std::shared_ptr<UnwindCache> cache;
  WalkEnvironment environment;
};

Unwinder::Unwinder(const Debuggee& debuggee, const GoRuntimes& runtimes,
                   std::shared_ptr<UnwindCache> cache) {
  if (!cache) cache = std::make_shared<UnwindCache>();
  UnwindCache::State& shared = *cache->state_;
  state_ = std::make_unique<State>(
      State{std::move(cache), WalkEnvironment{debuggee, runtimes, shared.c_frames, shared.code}});
}

Unwinder::~Unwinder() = default;

Unwinder::ThreadWalk Unwinder::thread(std::uint64_t tid, WalkLimit limit) const {
  const WalkEnvironment& env = state_->environment;
  ThreadWalk out;
  auto registers = env.debuggee.registers(tid);
  if (!registers) {
    out.walk.stop = StopReason::bad_memory;
    out.walk.error = std::move(registers).error().in("registers of thread " + std::to_string(tid));
    return out;
  }
  ThreadContexts contexts = contexts_of_thread(env.debuggee, env.runtimes, tid);
  out.note = std::move(contexts.note);
  for (const RuntimeContext& context : contexts.all) {
    if (!context.stacks.user || !context.stacks.user->alive()) continue;
    out.runtime = context.runtime;
    out.goroutine = context.stacks.user;
    break;
  }
  Walker walker(env, std::move(contexts.all), limit);
  out.walk = walker.run({.registers = *registers});
  return out;
}

Walk Unwinder::parked(const GoRuntime& runtime, const Goroutine& g, WalkLimit limit) const {
  const WalkEnvironment& env = state_->environment;
  const bool in_syscall = g.syscall.sp.value != 0;
  const SavedRegisters& saved = in_syscall ? g.syscall : g.sched;
  if (!saved.pc || !saved.sp) {
    Walk walk;
    walk.error = Error{ErrorCode::not_found,
                       "goroutine " + std::to_string(g.id) + " has no saved registers", g.address};
    return walk;
  }
  Registers registers(env.debuggee.arch());
  registers.set_pc(saved.pc);
  registers.set_sp(saved.sp);
  if (saved.bp) registers.set_fp(saved.bp);
  // One that never ran is at its function's first instruction; any other is behind a call.
  const auto function = runtime.function_at(saved.pc);
  const bool at_entry = function && function->entry == saved.pc;
  std::vector<RuntimeContext> contexts{context_of_parked(env.debuggee.memory(), runtime, g)};
  contexts.front().user_seen = true;
  Walker walker(env, std::move(contexts), limit);
  return walker.run({.registers = registers,
                     .origin = at_entry ? CodeAddress::Origin::program_counter
                                        : CodeAddress::Origin::return_address,
                     .innermost = false});
}

}  // namespace cgo
