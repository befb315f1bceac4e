#include "lldb-plugin/scheduler_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/stack_collection.h"

namespace cgo {
namespace {

/// Where the variables of a runtime's scheduler are, by its symbols.
std::optional<SchedulerPlaces> places_of(const Image& image, const DwarfInfo& dwarf) {
  const ElfFile* file = dwarf.file();
  const auto address = [&](const char* name) {
    const ElfSymbol* symbol = file == nullptr ? nullptr : file->find_symbol(name);
    return symbol == nullptr ? Address() : image.to_load(symbol->file_address);
  };
  const SchedulerPlaces out{address("runtime.sched"), address("runtime.allp"),
                            address("runtime.gomaxprocs")};
  if (!out.sched || !out.allp || !out.gomaxprocs) return std::nullopt;
  return out;
}

Result<SchedulerState> state_of(const Stop& stop, const GoRuntime& runtime) {
  const Image* image = stop.program->images->with_path(runtime.parts().image_path);
  if (image == nullptr) return Error{ErrorCode::not_found, "its image is not known"};
  const auto dwarf = stop.program->dwarf(*image);
  if (!dwarf) return dwarf.error();
  auto layout = scheduler_layout_from_dwarf(**dwarf);
  if (!layout) return std::move(layout).error();
  const auto places = places_of(*image, **dwarf);
  if (!places) return Error{ErrorCode::not_found, "no symbols of runtime.sched and runtime.allp"};
  return read_scheduler(stop.debuggee->memory(), runtime, *layout, *places);
}

RuntimeReport report_on(const Stop& stop, const GoRuntime& runtime,
                        std::vector<std::string>& problems) {
  RuntimeReport out{&runtime, std::nullopt, {}};
  auto state = state_of(stop, runtime);
  if (state) {
    for (const Error& problem : state->problems) problems.push_back(problem.message);
    for (const SchedulerMachine& one : state->machines) out.machines.push_back(one.machine);
    out.state = *std::move(state);
    return out;
  }
  problems.push_back(fmt::format("{}: the scheduler of {} cannot be read, only its Ms: {}",
                                 runtime.parts().image_path, runtime.parts().version_text,
                                 state.error().message));
  GoRuntime::Machines all = runtime.machines(stop.debuggee->memory());
  if (all.error) problems.push_back(all.error->message);
  out.machines = std::move(all.found);
  return out;
}

ThreadReport report_on(const Stop& stop, const StackOwner& owner) {
  CollectedStack collected = collect_stack(stop, owner);
  ThreadReport out;
  out.thread = *owner.thread;
  out.waits = mutex_wait(stop.debuggee->memory(), collected.walk, collected.stack);
  out.may_wait = waits_for_unknown_futex(stop.debuggee->memory(), collected.walk, collected.stack);
  if (collected.goroutine && collected.goroutine->id != 0) out.goroutine = collected.goroutine->id;
  out.stack = std::move(collected.stack);
  return out;
}

bool is_of_the_c_library(const Frame& frame) {
  return frame.module.starts_with("libc.so") || frame.module.starts_with("libpthread");
}

void find_user_frame(ThreadReport& report) {
  for (const StackElement& element : report.stack.elements) {
    const Frame* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->plumbing || frame->function.empty()) continue;
    if (frame->function.find("._Cfunc_") != frame->function.npos ||
        frame->function.find("._C2func_") != frame->function.npos)
      continue;
    if (report.user_frame == nullptr || is_of_the_c_library(*report.user_frame))
      report.user_frame = frame;
    if (!is_of_the_c_library(*frame)) return;
  }
}

/// The goroutine locked to a thread that runs none: the thread waits until it can go on.
void find_locked_goroutine(const Stop& stop, const SchedulerReport& report, ThreadReport& thread) {
  if (thread.goroutine) return;
  for (const RuntimeReport& of : report.runtimes)
    for (const Machine& m : of.machines) {
      if (m.procid != thread.thread.tid || !m.locked_g || m.curg) continue;
      auto g = of.runtime->goroutine(stop.debuggee->memory(), m.locked_g);
      if (!g || !g->alive()) continue;
      thread.locked_goroutine = g->id;
      thread.locked_stack =
          collect_stack(stop, {.runtime = of.runtime, .goroutine = *std::move(g)}).stack;
      return;
    }
}

/// Whether following what each holder waits for leads from `from` back to it.
bool is_circle(const std::map<std::size_t, std::size_t>& waits_for, std::size_t from) {
  std::set<std::size_t> seen;
  for (std::size_t at = from; seen.insert(at).second;) {
    const auto next = waits_for.find(at);
    if (next == waits_for.end()) return false;
    if ((at = next->second) == from) return true;
  }
  return false;
}

void find_waits(const Stop& stop, SchedulerReport& report) {
  std::map<std::uint64_t, std::size_t> by_tid;
  for (std::size_t i = 0; i < report.threads.size(); ++i)
    by_tid.emplace(report.threads[i].thread.tid, i);
  std::map<std::size_t, std::size_t> waits_for;
  for (std::size_t i = 0; i < report.threads.size(); ++i) {
    const auto& waits = report.threads[i].waits;
    if (!waits) continue;
    MutexWaitReport& added = report.waits.emplace_back();
    added.waiter = i;
    added.what = stop.addresses->describe(waits->mutex).text;
    if (const auto holder = by_tid.find(waits->owner); holder != by_tid.end()) {
      added.holder = holder->second;
      if (!waits->timed) waits_for.emplace(i, holder->second);
    }
  }
  for (MutexWaitReport& one : report.waits) one.deadlock = is_circle(waits_for, one.waiter);
}

}  // namespace

SchedulerReport make_scheduler_report(const Stop& stop, Activity& activity) {
  SchedulerReport out;
  for (const auto& runtime : stop.program->runtimes.all)
    out.runtimes.push_back(report_on(stop, *runtime, out.problems));
  const std::vector<StackOwner> owners = threads_of(stop);
  out.threads.resize(owners.size());
  std::vector<char> walked(owners.size(), 0);
  const bool whole = for_each_piece(stop, owners.size(), activity, [&](auto begin, auto end) {
    for (std::size_t i = begin; i < end; ++i) {
      out.threads[i] = report_on(stop, owners[i]);
      walked[i] = 1;
    }
  });
  if (!whole) {
    const auto done = static_cast<std::size_t>(std::ranges::count(walked, 1));
    out.problems.push_back(cut_short(activity, done, owners.size(), "threads"));
    for (std::size_t i = 0; i < owners.size(); ++i) out.threads[i].thread = *owners[i].thread;
  }
  for (ThreadReport& one : out.threads) {
    find_user_frame(one);
    find_locked_goroutine(stop, out, one);
  }
  find_waits(stop, out);
  out.may_wait =
      static_cast<std::size_t>(std::ranges::count_if(out.threads, &ThreadReport::may_wait));
  if (out.may_wait != 0)
    out.problems.push_back(fmt::format(
        "{} threads wait in C code without names (stripped): whether for mutexes cannot be told",
        out.may_wait));
  return out;
}

}  // namespace cgo
