#include "lldb-plugin/signal_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/signal_questions.h"

namespace cgo {
namespace {

using Action = SignalRow::Action;
using Certainty = SignalRow::Certainty;
using Owner = SignalRow::Owner;
using StackKind = ThreadSignalRow::StackKind;

/// What is known of one runtime before any signal is looked at.
struct RuntimeNotes {
  const GoRuntime* runtime = nullptr;
  std::optional<GoSignals> signals;
  std::optional<GoSignalStackLayout> stacks;
  std::vector<Machine> machines;
  bool all_machines = true;
  /// Signal stacks that Ms have: those that Go made, and those of which that is not known.
  std::vector<AddressRange> made, perhaps_made;
};

/// What a runtime notes of signals.
Result<GoSignals> go_signals_of(const Stop& stop, const GoRuntime& runtime) {
  const MemoryReader& memory = stop.debuggee->memory();
  const std::string& path = runtime.parts().image_path;
  const Image* image = stop.program->images->with_path(path);
  if (image == nullptr) return Error{ErrorCode::not_found, path + " is not among the modules"};
  const auto dwarf = stop.program->dwarf(*image);
  auto places = find_signal_places(*image, dwarf ? (*dwarf)->file() : nullptr);
  if (!places) places = find_signal_places_in_code(memory, runtime);
  if (!places) return std::move(places).error();
  return read_go_signals(memory, *places);
}

RuntimeNotes notes_of(const Stop& stop, const GoRuntime& runtime,
                      std::vector<std::string>& problems) {
  const MemoryReader& memory = stop.debuggee->memory();
  const std::string& path = runtime.parts().image_path;
  GoRuntime::Machines machines = runtime.machines(memory);
  RuntimeNotes out{.runtime = &runtime, .machines = std::move(machines.found)};
  out.all_machines = !machines.error;
  const auto fail = [&](const char* what, const Error& error) {
    problems.push_back(fmt::format("{}: {}: {}", path, what, error.message));
  };
  if (machines.error) fail("which threads are Go's is not all known", *machines.error);
  const Image* image = stop.program->images->with_path(path);
  if (image == nullptr) return out;
  const auto signals = go_signals_of(stop, runtime);
  if (signals)
    out.signals = *signals;
  else
    fail("what Go's runtime notes of signals is not known", signals.error());
  const auto dwarf = stop.program->dwarf(*image);
  const auto layout =
      dwarf ? signal_stack_layout_from_dwarf(**dwarf) : Result<GoSignalStackLayout>(dwarf.error());
  if (layout)
    out.stacks = *layout;
  else
    fail("which alternate stacks Go's runtime set is not known", layout.error());
  return out;
}

void find_signal_stacks(const MemoryReader& memory, RuntimeNotes& of) {
  for (const Machine& m : of.machines) {
    if (of.stacks) {
      const auto noted = read_signal_stack(memory, *of.runtime, *of.stacks, m);
      if (noted && *noted && !(*noted)->found) of.made.push_back((*noted)->range);
    } else if (const auto g = of.runtime->goroutine(memory, m.gsignal); m.gsignal && g) {
      of.perhaps_made.push_back(g->stack);
    }
  }
}

/// Whose an alternate stack is. An M can find one that another M, or another runtime, made.
StackKind kind_of(const std::vector<RuntimeNotes>& runtimes, AddressRange stack) {
  const auto in = [&](const std::vector<AddressRange>& all) {
    return std::ranges::find(all, stack) != all.end();
  };
  bool may_be_go = false;
  for (const RuntimeNotes& one : runtimes) {
    if (in(one.made)) return StackKind::go;
    may_be_go = may_be_go || in(one.perhaps_made) || !one.all_machines;
  }
  return may_be_go ? StackKind::unknown : StackKind::other;
}

/// Whether `handler` is where a runtime has the kernel begin. Source: src/runtime/os_linux.go,
/// setsig; sys_linux_amd64.s.
std::optional<std::size_t> runtime_of_handler(const Stop& stop,
                                              const std::vector<const GoRuntime*>& runtimes,
                                              Address handler) {
  const GoRuntime* at = stop.program->runtimes.at(handler);
  const auto function = at == nullptr ? std::nullopt : at->function_at(handler);
  if (!function || function->entry != handler) return std::nullopt;
  if (function->name != "runtime.sigtramp" && function->name != "runtime.cgoSigtramp")
    return std::nullopt;
  const auto found = std::ranges::find(runtimes, at);
  if (found == runtimes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - runtimes.begin());
}

Action action_of(int number, const ThreadSignals& signals) {
  if (!signals.caught || !signals.ignored) return Action::unknown;
  if (signals.caught->contains(number)) return Action::handler;
  return signals.ignored->contains(number) ? Action::ignored : Action::by_default;
}

void add_notes(const Stop& stop, const std::vector<RuntimeNotes>& runtimes, SignalRow& row) {
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    if (!runtimes[i].signals) continue;
    GoSignalNote& added = row.notes.emplace_back();
    added.runtime = i;
    added.note = runtimes[i].signals->at(static_cast<std::size_t>(row.number));
    if (added.note.found_handler())
      added.found = place_of_function(*stop.program, *added.note.found);
  }
}

/// Whose a handler is, as far as Go's notes tell. Other code may have set another one since, or one
/// of Go's by itself.
void judge_by_notes(std::size_t runtimes, SignalRow& row) {
  const auto handling = [](const GoSignalNote& one) { return one.note.handling; };
  const auto count = std::ranges::count_if(row.notes, handling);
  const bool may_be_handler = row.action == Action::handler || row.action == Action::unknown;
  row.replaced = count != 0 && !may_be_handler;
  if (!may_be_handler) return;
  if (count != 0) {
    row.owner = Owner::go;
    row.certainty = Certainty::noted;
    if (count == 1) row.go_runtime = std::ranges::find_if(row.notes, handling)->runtime;
  } else if (row.action == Action::handler && row.notes.size() == runtimes) {
    row.owner = Owner::other;
    row.certainty = Certainty::noted;
  }
}

void judge_by_kernel(const Stop& stop, const SignalReport& report, SignalRow& row) {
  const SignalAction& action = *row.kernel;
  row.action = action.is_default()   ? Action::by_default
               : action.is_ignored() ? Action::ignored
                                     : Action::handler;
  row.certainty = Certainty::exact;
  row.owner = Owner::unknown;
  row.go_runtime.reset();
  if (action.has_handler()) {
    row.handler = place_of_function(*stop.program, action.handler);
    if (action.restorer) row.restorer = place_of_function(*stop.program, action.restorer);
    row.go_runtime = runtime_of_handler(stop, report.runtimes, action.handler);
    row.owner = row.go_runtime ? Owner::go : Owner::other;
  }
  row.replaced = row.owner != Owner::go &&
                 std::ranges::any_of(row.notes, [](const auto& one) { return one.note.handling; });
}

/// A thread of Go can get the signal unless all of them block it.
void judge_stack(const SignalReport& report, SignalRow& row) {
  bool any = false, all_block = true;
  for (const ThreadSignalRow& thread : report.threads) {
    if (!thread.machine) continue;
    any = true;
    all_block = all_block && thread.signals.blocked && thread.signals.blocked->contains(row.number);
  }
  row.blocked_in_go = any && all_block;
  row.breaks_go =
      row.kernel && row.kernel->has_handler() && !row.kernel->on_stack() && !row.blocked_in_go;
}

/// The M that a thread is now. Before Go 1.21 an M that a thread of C gave back keeps its number.
const Machine* machine_of(const Stop& stop, const RuntimeNotes& of, std::uint64_t tid) {
  auto found = std::ranges::find(of.machines, tid, &Machine::procid);
  if (found == of.machines.end() || tid == 0) return nullptr;
  const MemoryReader& memory = stop.debuggee->memory();
  if (const auto pointer = stop.debuggee->thread_pointer(tid)) {
    const auto at = of.runtime->current_g(memory, *pointer);
    if (at && !*at) return nullptr;
    // A runtime that dies takes a second M for its thread.
    const auto g = at ? of.runtime->goroutine(memory, *at) : Result<Goroutine>(at.error());
    const auto its = g ? std::ranges::find(of.machines, g->m, &Machine::address) : found;
    if (its != of.machines.end() && its->procid == tid) found = its;
  }
  return &*found;
}

void find_machine(const Stop& stop, const std::vector<RuntimeNotes>& runtimes,
                  ThreadSignalRow& row) {
  row.why = "only the kernel knows";
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    const Machine* m = machine_of(stop, runtimes[i], row.thread.tid);
    if (m == nullptr) continue;
    row.runtime = i;
    row.machine = m->id;
    if (!runtimes[i].stacks) return;
    const auto noted =
        read_signal_stack(stop.debuggee->memory(), *runtimes[i].runtime, *runtimes[i].stacks, *m);
    if (!noted) row.why = noted.error().message;
    if (!noted || !*noted) return;
    row.stack_certainty = Certainty::noted;
    row.stack = (*noted)->range;
    return;
  }
}

void describe_stack(const Stop& stop, const std::vector<RuntimeNotes>& runtimes,
                    ThreadSignalRow& row) {
  if (row.stack.empty()) return;
  row.stack_kind = kind_of(runtimes, row.stack);
  const auto what = stop.addresses->describe(row.stack.begin);
  row.stack_text = what.text;
  const auto registers = stop.debuggee->registers(row.thread.tid);
  row.on_stack = registers && row.stack.contains(registers->sp());
}

ThreadSignalRow report_on(const Stop& stop, const std::vector<RuntimeNotes>& runtimes,
                          const ThreadInfo& thread, std::vector<std::string>& problems) {
  ThreadSignalRow out;
  out.thread = thread;
  if (stop.debuggee->is_core()) out.got = thread.signal;
  if (auto signals = stop.debuggee->signals(thread.tid))
    out.signals = *signals;
  else if (std::ranges::find(problems, signals.error().message) == problems.end())
    problems.push_back(signals.error().message);
  find_machine(stop, runtimes, out);
  return out;
}

/// Signals whose handlers Go does not look at when it begins. Source: src/runtime/signal_unix.go,
/// initsig; sigtab_linux_generic.go, those with _SigDefault.
bool is_left_alone(int number) {
  constexpr int kLeft[] = {18, 20, 21, 22};  // SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU
  return std::ranges::find(kLeft, number) != std::end(kLeft);
}

}  // namespace

Result<SignalReport> make_signal_report(const Stop& stop, SystemCalls* calls) {
  SignalReport out;
  std::vector<RuntimeNotes> runtimes;
  for (const auto& runtime : stop.program->runtimes.all) {
    out.runtimes.push_back(runtime.get());
    runtimes.push_back(notes_of(stop, *runtime, out.problems));
    find_signal_stacks(stop.debuggee->memory(), runtimes.back());
  }
  ThreadSignals process;
  for (const ThreadInfo& thread : stop.debuggee->threads()) {
    out.threads.push_back(report_on(stop, runtimes, thread, out.problems));
    const ThreadSignals& known = out.threads.back().signals;
    if (known.caught && !process.caught) process = known;
  }
  out.process_pending = process.process_pending;
  for (int number = 1; number <= kMostSignals; ++number) {
    SignalRow& row = out.signals.emplace_back();
    row.number = number;
    row.action = action_of(number, process);
    add_notes(stop, runtimes, row);
    judge_by_notes(runtimes.size(), row);
  }
  if (calls != nullptr)
    if (auto asked = ask_kernel(*calls, out); !asked) return std::move(asked).error();
  for (ThreadSignalRow& row : out.threads) describe_stack(stop, runtimes, row);
  for (SignalRow& row : out.signals) {
    if (row.kernel) judge_by_kernel(stop, out, row);
    if (!out.runtimes.empty()) judge_stack(out, row);
  }
  return out;
}

HandlerVerdict judge_handler(const Stop& stop, int number, const SignalAction& action) {
  HandlerVerdict out;
  std::vector<const GoRuntime*> runtimes;
  for (const auto& runtime : stop.program->runtimes.all) runtimes.push_back(runtime.get());
  out.gives_back =
      action.has_handler() && runtime_of_handler(stop, runtimes, action.handler).has_value();
  bool begun = false;
  for (const GoRuntime* runtime : runtimes) {
    const auto signals = go_signals_of(stop, *runtime);
    out.known &= signals.has_value();
    begun |= !signals || std::ranges::any_of(*signals, &GoSignal::handling);
    out.replaces |=
        !out.gives_back && signals && signals->at(static_cast<std::size_t>(number)).handling;
  }
  const bool without = action.has_handler() && !action.on_stack() && !runtimes.empty();
  out.before_go = without && !begun && !is_left_alone(number);
  out.off_stack = without && !out.before_go;
  return out;
}

}  // namespace cgo
