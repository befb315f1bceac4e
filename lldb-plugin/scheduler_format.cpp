#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lldb-plugin/scheduler_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

/// A pair of a waiter and its holder is shown with whole stacks this many times.
constexpr std::size_t kMostShownWaits = 5;

/// The owner of a robust mutex whose thread is gone. Source: nptl/pthreadP.h,
/// PTHREAD_MUTEX_NOTRECOVERABLE and PTHREAD_MUTEX_INCONSISTENT.
constexpr std::uint64_t kInconsistent = 0x7ffffffe;

class Names {
 public:
  Names(const SchedulerReport& report, const RuntimeReport& of, const Stop& stop)
      : report_(report), of_(of), memory_(stop.debuggee->memory()) {}

  const ThreadReport* thread(std::uint64_t tid) const {
    const auto found = std::ranges::find(report_.threads, tid,
                                         [](const ThreadReport& one) { return one.thread.tid; });
    return tid == 0 || found == report_.threads.end() ? nullptr : &*found;
  }
  std::optional<std::uint64_t> goroutine(Address g) const {
    if (!g) return std::nullopt;
    const auto read = of_.runtime->goroutine(memory_, g);
    return read ? std::optional(read->id) : std::nullopt;
  }
  std::optional<GStatus> status(Address g) const {
    const auto read = of_.runtime->goroutine(memory_, g);
    return read ? std::optional(read->status) : std::nullopt;
  }
  std::optional<std::int64_t> machine(Address m) const {
    const auto found = std::ranges::find(of_.machines, m, &Machine::address);
    return !m || found == of_.machines.end() ? std::nullopt : std::optional(found->id);
  }
  /// The P that has this M; asking the Ms' own field would need addresses of Ps.
  const Processor* processor_of(Address m) const {
    if (!of_.state) return nullptr;
    const auto& all = of_.state->processors;
    const auto found = std::ranges::find(all, m, &Processor::m);
    return !m || found == all.end() ? nullptr : &*found;
  }

 private:
  const SchedulerReport& report_;
  const RuntimeReport& of_;
  const MemoryReader& memory_;
};

std::string thread_text(const ThreadInfo& thread) {
  return fmt::format("thread {} (tid {})", thread.index, thread.tid);
}

std::string place_text(const ThreadReport* thread) {
  if (thread == nullptr || thread->user_frame == nullptr) return {};
  const Frame& frame = *thread->user_frame;
  std::string out = "  " + escaped(frame.function);
  if (!frame.file.empty())
    out +=
        fmt::format("  {}:{}", escaped(frame.file.substr(frame.file.rfind('/') + 1)), frame.line);
  return out;
}

bool is_in(const ThreadReport* thread, std::string_view function) {
  return thread != nullptr &&
         std::ranges::any_of(thread->stack.elements, [&](const StackElement& element) {
           const Frame* frame = std::get_if<Frame>(&element);
           return frame != nullptr && frame->function == function;
         });
}

/// What an M does, in words.
std::string doing(const Names& names, const Machine& m, const SchedulerMachine* more,
                  const ThreadReport* thread) {
  if (m.is_extra_in_c && m.procid == 0) return "spare: for a thread of C that calls Go";
  if (m.is_extra_in_c) return "a thread of C outside of any callback";
  if (m.curg) {
    const auto id = names.goroutine(m.curg);
    const std::string g = id ? fmt::format("goroutine {}", *id) : "a goroutine that cannot be read";
    if (m.in_cgo) return g + " in C";
    const auto status = names.status(m.curg);
    return g + (status == GStatus::syscall ? " in a system call" : " running Go");
  }
  if (more != nullptr && more->spinning) return "spinning: looks for work";
  if (is_in(thread, "runtime.sysmon")) return "sysmon, the runtime's watchdog";
  if (is_in(thread, "runtime.netpoll")) return "waits for the network or a timer";
  if (more != nullptr && more->blocked) return "parked";
  return "runs no goroutine";
}

const SchedulerMachine* details(const RuntimeReport& of, const Machine& m) {
  if (!of.state) return nullptr;
  const auto found = std::ranges::find(of.state->machines, m.address,
                                       [](const auto& one) { return one.machine.address; });
  return found == of.state->machines.end() ? nullptr : &*found;
}

std::string queue_text(const Names& names, const std::vector<Address>& queue) {
  constexpr std::size_t kShown = 10;
  std::string out;
  for (std::size_t i = 0; i < queue.size() && i < kShown; ++i) {
    const auto id = names.goroutine(queue[i]);
    out += fmt::format("{}{}", i == 0 ? "" : ", ", id ? std::to_string(*id) : "?");
  }
  if (queue.size() > kShown) out += fmt::format(", … {} more", queue.size() - kShown);
  return out;
}

std::string state_text(const Names& names, const SchedulerState& state) {
  std::string out = fmt::format(
      "gomaxprocs {}, {} idle P{}; {} threads of Go, {} idle, {} spinning, {} parked for a "
      "goroutine that is "
      "locked to them; global queue {}",
      state.gomaxprocs, state.idle_processors, state.idle_processors == 1 ? "" : "s", state.threads,
      state.idle_threads, state.spinning, state.idle_locked, state.queue_length);
  if (!state.queue.empty()) out += " (goroutines " + queue_text(names, state.queue) + ")";
  if (state.gc_waiting) out += "; the world is being stopped";
  out += '\n';
  for (const Processor& p : state.processors) {
    out += fmt::format("  P{:<3} {:<8}", p.id, format_status(p.status));
    if (const auto m = names.machine(p.m)) out += fmt::format("  M{}", *m);
    if (!p.queue.empty()) out += "  next: goroutines " + queue_text(names, p.queue);
    out += '\n';
  }
  return out;
}

std::string machine_text(const Names& names, const RuntimeReport& of, const Machine& m) {
  const ThreadReport* thread = names.thread(m.procid);
  const SchedulerMachine* more = details(of, m);
  std::string out = fmt::format("  M{:<3} {}  {}", m.id,
                                thread != nullptr ? thread_text(thread->thread)
                                : m.procid != 0   ? fmt::format("no thread here (tid {})", m.procid)
                                                  : std::string("no thread"),
                                doing(names, m, more, thread));
  if (const Processor* p = names.processor_of(m.address)) out += fmt::format(", P{}", p->id);
  const bool spare = m.is_extra_in_c && m.procid == 0;
  if (const auto locked = names.goroutine(m.locked_g); locked && !spare)
    out += fmt::format(", locked to goroutine {}", *locked);
  return out + (m.curg || m.is_extra_in_c ? place_text(thread) : "") + '\n';
}

std::string owner_text(const ThreadReport& thread) {
  std::string out = thread_text(thread.thread);
  if (const auto id = thread.told_goroutine()) out += fmt::format(", goroutine {}", *id);
  return out;
}

std::string wait_text(const SchedulerReport& report, const MutexWaitReport& wait) {
  const ThreadReport& waiter = report.threads[wait.waiter];
  std::string out = fmt::format("{} waits for the mutex {} ({}), ", owner_text(waiter),
                                hex(waiter.waits->mutex), escaped(wait.what));
  if (wait.holder)
    out += "which " + owner_text(report.threads[*wait.holder]) + " holds";
  else if (waiter.waits->owner == 0)
    out += "whose owner is not noted";
  else if (waiter.waits->owner >= kInconsistent)
    out += "whose owner ended while it held it";
  else
    out += fmt::format("which tid {} holds, a thread that is gone or of another process",
                       waiter.waits->owner);
  if (waiter.waits->timed) out += " (until a time that it was given)";
  if (wait.deadlock && wait.holder == wait.waiter)
    return out + ": DEADLOCK, it locks what it holds itself\n";
  return out + (wait.deadlock ? ": DEADLOCK, the holder waits for this thread in turn\n" : "\n");
}

std::string id_or_null(const std::optional<std::uint64_t>& id) {
  return id ? std::to_string(*id) : "null";
}

std::string thread_json(const ThreadReport* thread) {
  if (thread == nullptr) return "null";
  return fmt::format(R"({{"index":{},"tid":{},"name":{}}})", thread->thread.index,
                     thread->thread.tid, json_string(thread->thread.name));
}

template <class List, class Format>
std::string array(const List& list, const Format& format) {
  std::string out = "[";
  for (const auto& one : list) out += (out.size() == 1 ? "" : ",") + format(one);
  return out + "]";
}

std::string machine_json(const Names& names, const RuntimeReport& of, const Machine& m) {
  const ThreadReport* thread = names.thread(m.procid);
  const SchedulerMachine* more = details(of, m);
  const Processor* p = names.processor_of(m.address);
  std::string frame = "null";
  if (thread != nullptr && thread->user_frame != nullptr) {
    std::size_t index = 0;
    for (const StackElement& element : thread->stack.elements) {
      if (std::get_if<Frame>(&element) == thread->user_frame) break;
      ++index;
    }
    frame.clear();
    append_frame_json(frame, *thread->user_frame, index);
  }
  std::string out = fmt::format(
      R"({{"id":{},"procid":{},"thread":{},"processor":{},"goroutine":{},"locked_goroutine":{},)"
      R"("in_c":{},"extra":{},"extra_in_c":{},"frame":{})",
      m.id, m.procid, thread_json(thread), p == nullptr ? "null" : std::to_string(p->id),
      id_or_null(names.goroutine(m.curg)), id_or_null(names.goroutine(m.locked_g)), m.in_cgo,
      m.is_extra, m.is_extra_in_c, frame);
  if (more != nullptr)
    out += fmt::format(R"(,"spinning":{},"blocked":{},"locks":{},"cgo_calls":{})", more->spinning,
                       more->blocked, more->locks, more->cgo_calls);
  return out + "}";
}

std::string state_json(const Names& names, const SchedulerState& state) {
  const auto ids = [&](const std::vector<Address>& queue) {
    return array(queue, [&](Address g) { return id_or_null(names.goroutine(g)); });
  };
  const std::string processors = array(state.processors, [&](const Processor& p) {
    const auto m = names.machine(p.m);
    return fmt::format(
        R"({{"id":{},"status":"{}","machine":{},"schedtick":{},"syscalltick":{},"queue_length":{},)"
        R"("queue":{}}})",
        p.id, format_status(p.status), m ? std::to_string(*m) : "null", p.scheduled, p.syscalls,
        p.queue_length, ids(p.queue));
  });
  return fmt::format(
      R"("gomaxprocs":{},"idle_processors":{},"threads":{},"idle_threads":{},"spinning_threads":{},)"
      R"("idle_locked_threads":{},"stop_wait":{},"gc_waiting":{},"sysmon_waiting":{},)"
      R"("queue_length":{},"queue":{},"processors":{})",
      state.gomaxprocs, state.idle_processors, state.threads, state.idle_threads, state.spinning,
      state.idle_locked, state.stop_wait, state.gc_waiting, state.sysmon_waiting,
      state.queue_length, ids(state.queue), processors);
}

std::string wait_json(const SchedulerReport& report, const MutexWaitReport& wait) {
  const ThreadReport& waiter = report.threads[wait.waiter];
  const ThreadReport* holder = wait.holder ? &report.threads[*wait.holder] : nullptr;
  const auto side = [](const ThreadReport* thread) {
    return thread == nullptr ? std::string("null")
                             : fmt::format(R"({{"thread":{},"goroutine":{}}})", thread_json(thread),
                                           id_or_null(thread->told_goroutine()));
  };
  return fmt::format(
      R"({{"mutex":"{}","what":{},"owner_tid":{},"waiter":{},"holder":{},"deadlock":{}}})",
      hex(waiter.waits->mutex), json_string(wait.what), waiter.waits->owner, side(&waiter),
      side(holder), wait.deadlock);
}

/// The threads that wait, and those they wait for, each once.
std::vector<std::size_t> threads_in(std::span<const MutexWaitReport> waits) {
  std::vector<std::size_t> out;
  const auto add = [&](std::size_t thread) {
    if (std::ranges::find(out, thread) == out.end()) out.push_back(thread);
  };
  for (const MutexWaitReport& one : waits) {
    add(one.waiter);
    if (one.holder) add(*one.holder);
  }
  return out;
}

}  // namespace

std::string scheduler_text(const SchedulerReport& report, const Stop& stop, bool colour) {
  std::string out;
  for (const RuntimeReport& one : report.runtimes) {
    const Names names(report, one, stop);
    if (report.runtimes.size() > 1)
      out += fmt::format("{} in {}\n", escaped(one.runtime->parts().version_text),
                         escaped(one.runtime->parts().image_path));
    if (one.state) out += state_text(names, *one.state);
    for (const Machine& m : one.machines) out += machine_text(names, one, m);
  }
  if (report.waits.empty())
    return out + (report.may_wait == 0
                      ? "no thread waits for a pthread mutex\n"
                      : fmt::format("{} threads wait in C code without names: whether for mutexes "
                                    "cannot be told\n",
                                    report.may_wait));
  for (const MutexWaitReport& one : report.waits) out += wait_text(report, one);
  const auto shown = std::span(report.waits).first(std::min(kMostShownWaits, report.waits.size()));
  for (const std::size_t thread : threads_in(shown))
    out += "\n" + format_stack(report.threads[thread].told_stack(), {.colour = colour});
  if (shown.size() < report.waits.size())
    out += fmt::format("\nstacks of the first {} waiters alone; cgo bt --thread N has the others\n",
                       shown.size());
  return out;
}

std::string scheduler_json(const SchedulerReport& report, const Stop& stop) {
  const std::string runtimes = array(report.runtimes, [&](const RuntimeReport& one) {
    const Names names(report, one, stop);
    return fmt::format(
        R"({{"version":{},"module":{},"scheduler":{},"machines":{}}})",
        json_string(one.runtime->parts().version_text),
        json_string(one.runtime->parts().image_path),
        one.state ? "{" + state_json(names, *one.state) + "}" : "null",
        array(one.machines, [&](const Machine& m) { return machine_json(names, one, m); }));
  });
  const std::string waits =
      array(report.waits, [&](const MutexWaitReport& one) { return wait_json(report, one); });
  const std::string stacks = array(threads_in(report.waits), [&](std::size_t thread) {
    std::string stack;
    append_stack_json(stack, report.threads[thread].told_stack());
    return stack;
  });
  return fmt::format(R"("runtimes":{},"mutex_waits":{},"stacks":{})", runtimes, waits, stacks);
}

}  // namespace cgo
