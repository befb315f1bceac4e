#include "unwind/contexts.h"

namespace cgo {
namespace {

std::optional<Goroutine> goroutine_at(const MemoryReader& memory, const GoRuntime& runtime,
                                      Address g) {
  if (!g) return std::nullopt;
  auto decoded = runtime.goroutine(memory, g);
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

/// The m a thread runs, by its TLS g, else by its tid in the list of ms.
struct ThreadMachine {
  std::optional<Machine> m;
  std::optional<Goroutine> tls_g;
};

ThreadMachine machine_of(const Debuggee& debuggee, const GoRuntime& runtime, std::uint64_t tid) {
  const MemoryReader& memory = debuggee.memory();
  ThreadMachine out;
  if (auto pointer = debuggee.thread_pointer(tid)) {
    auto g = runtime.current_g(memory, *pointer);
    if (g && !*g) return out;  // The thread says so itself: no g.
    if (g) out.tls_g = goroutine_at(memory, runtime, *g);
    if (out.tls_g && out.tls_g->m) {
      if (auto m = runtime.machine(memory, out.tls_g->m)) out.m = *m;
      return out;
    }
  }
  if (auto m = runtime.machine_of_thread(memory, tid)) out.m = *m;
  return out;
}

void add_machine(const MemoryReader& memory, const GoRuntime& runtime, const Machine& m,
                 SwitchContext& stacks) {
  stacks.g0 = goroutine_at(memory, runtime, m.g0);
  stacks.gsignal = goroutine_at(memory, runtime, m.gsignal);
  if (stacks.g0) stacks.callback_sp = stacks.g0->sched.sp;
}

void add_goroutine(const MemoryReader& memory, const GoRuntime& runtime, Address g,
                   SwitchContext& stacks) {
  if (!g) return;
  auto decoded = runtime.goroutine(memory, g);
  if (decoded)
    stacks.user = std::move(*decoded);
  else
    stacks.user_error = std::move(decoded).error().in("m.curg");
}

}  // namespace

ThreadContexts contexts_of_thread(const Debuggee& debuggee, const GoRuntimes& runtimes,
                                  std::uint64_t tid) {
  const MemoryReader& memory = debuggee.memory();
  ThreadContexts out;
  for (const auto& runtime : runtimes.all) {
    const ThreadMachine found = machine_of(debuggee, *runtime, tid);
    if (!found.m && !found.tls_g) continue;
    RuntimeContext context{.runtime = runtime.get(), .stacks = {}};
    if (found.m) {
      add_machine(memory, *runtime, *found.m, context.stacks);
      context.stacks.vdso_sp = found.m->vdso_sp;
      context.stacks.vdso_pc = found.m->vdso_pc;
      if (found.m->is_extra_in_c)
        out.note = "C code on a thread that C created, outside any callback: no goroutine runs";
      else
        add_goroutine(memory, *runtime, found.m->curg, context.stacks);
    }
    const bool tls_is_user =
        found.tls_g && (!found.m || (found.tls_g->address != found.m->g0 &&
                                     found.tls_g->address != found.m->gsignal));
    if (!context.stacks.user && tls_is_user) context.stacks.user = found.tls_g;
    out.all.push_back(std::move(context));
  }
  return out;
}

RuntimeContext context_of_parked(const MemoryReader& memory, const GoRuntime& runtime,
                                 const Goroutine& g) {
  RuntimeContext context{.runtime = &runtime, .stacks = {}};
  context.stacks.user = g;
  const Address m = g.m ? g.m : g.locked_m;
  if (!m) return context;
  if (auto machine = runtime.machine(memory, m))
    add_machine(memory, runtime, *machine, context.stacks);
  return context;
}

}  // namespace cgo
