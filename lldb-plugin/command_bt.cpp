#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <variant>

#include "lldb-plugin/command_context.h"
#include "lldb-plugin/crashed_thread.h"
#include "lldb-plugin/ordered_output.h"
#include "lldb-plugin/stack_collection.h"
#include "lldb-plugin/stack_folding.h"
#include "stops/fault_report.h"
#include "stops/repeated_fault.h"
#include "unwind/contexts.h"
#include "unwind/format.h"

namespace cgo {
namespace {

constexpr std::size_t kUsualJsonBytes = 2500;  // Of one stack.

FormatOptions format_options(const CommandContext& context, const CommandLine& line) {
  return {.colour = context.colour, .raw = line.has("--raw")};
}

/// Where handlers of a thread's signals may run, as Go's runtimes have it.
std::vector<AddressRange> signal_stacks_of(const Stop& stop, std::uint64_t tid) {
  std::vector<AddressRange> out;
  for (const RuntimeContext& one :
       contexts_of_thread(*stop.debuggee, stop.program->runtimes, tid).all)
    if (one.stacks.gsignal) out.push_back(one.stacks.gsignal->stack);
  return out;
}

/// The faults that a thread's stack shows, the first in time first.
std::vector<Fault> faults_on(const Stop& stop, std::uint64_t tid, const Walk& walk) {
  const auto now = stop.debuggee->stop_signal(tid);
  std::vector<Fault> faults = faults_of(walk, *stop.debuggee, now);
  const auto* innermost =
      walk.elements.empty() ? nullptr : std::get_if<PhysicalFrame>(&walk.elements[0]);
  if (innermost == nullptr) return faults;
  const auto before = repeated_fault(*stop.debuggee, *innermost, now, signal_stacks_of(stop, tid));
  if (!before) return faults;
  if (now && is_fault(now->number, now->code) && !faults.empty())
    faults.back().repeats = true;
  else
    faults.push_back(*before);
  return faults;
}

/// A stack with what is known of faults on it.
Stack explained_stack(const Stop& stop, const StackOwner& owner, WalkLimit limit = {}) {
  CollectedStack collected = collect_stack(stop, owner, limit);
  if (!owner.thread) return std::move(collected.stack);
  const std::uint64_t tid = owner.thread->tid;
  const std::vector<Fault> faults = faults_on(stop, tid, collected.walk);
  if (!faults.empty())
    collected.stack.fault = describe_faults(
        {*stop.debuggee, *stop.addresses, tid, collected.walk, collected.stack}, faults);
  return std::move(collected.stack);
}

/// The stack of one owner as the user wants it.
Stack asked_stack(const Stop& stop, const StackOwner& owner, const CommandLine& line) {
  const auto frames = line.number("--limit");
  if (!frames) return explained_stack(stop, owner);
  WalkLimit limit;
  if (*frames > limit.innermost) limit.innermost = static_cast<std::size_t>(*frames);
  Stack stack = explained_stack(stop, owner, limit);
  cut_stack(stack, static_cast<std::size_t>(*frames), line.has("--raw"));
  return stack;
}

/// Whether frames are missing because memory is: the stack itself says where.
bool lacks_frames(const Stack& stack, const Stop& stop) {
  if (!stack.complete() && stack.end != StopReason::frame_limit) return true;
  // A gap alone can be the program's own doing: a panic overwrites C frames.
  return !stop.provenance.lacks.empty() &&
         std::any_of(stack.elements.begin(), stack.elements.end(), [](const StackElement& element) {
           return std::holds_alternative<Gap>(element);
         });
}

/// What is said of the thread that crashed where it is not the one a user would be shown.
struct OtherThread {
  CrashedThread crashed;
  bool shown = false;  ///< It is shown instead.
};

std::string note_on(const OtherThread& other, const ThreadInfo& first) {
  const std::uint32_t index = other.crashed.thread.index;
  if (!other.shown)
    return fmt::format("note: thread {} looks like the one that crashed ({}): cgo bt --thread {}\n",
                       index, other.crashed.what, index);
  return fmt::format("note: the crash began on thread {} ({}); the core's first thread is {}\n",
                     index, other.crashed.what, first.index);
}

std::string json_of(const OtherThread& other) {
  return fmt::format(R"(,"crashed_thread":{{"index":{},"tid":{},"what":{}}})",
                     other.crashed.thread.index, other.crashed.thread.tid,
                     json_string(other.crashed.what));
}

Answer one_stack(CommandContext& context, const CommandLine& line, const Stop& stop,
                 const StackOwner& owner, const std::optional<OtherThread>& other = {}) {
  const Stack stack = asked_stack(stop, owner, line);
  Answer answer;
  if (lacks_frames(stack, stop)) answer.status = ExitStatus::partial;
  if (line.has("--json")) {
    finish(answer, stop);
    answer.out = R"({"schema":"lldb-cgo/stacks/1","stacks":[)";
    append_stack_json(answer.out, stack);
    answer.out += "]" + (other ? json_of(*other) : "") + partial_json(answer) + "}\n";
    return answer;
  }
  FormatOptions options = format_options(context, line);
  if (owner.thread) options.selected = context.subject.selected_frame(owner.thread->tid);
  answer.out = format_stack(stack, options);
  if (!answer.out.ends_with('\n')) answer.out += '\n';
  if (other) answer.out += note_on(*other, stop.debuggee->threads().front());
  finish(answer, stop);
  return answer;
}

/// The stack of the selected thread. The headless program selects the one that crashed, where that
/// is known; in LLDB the user's selection stays, and a line names the other thread.
Answer stack_of_selected(CommandContext& context, const CommandLine& line, const Stop& stop) {
  const std::optional<std::uint64_t> tid = context.subject.selected_thread();
  const std::vector<StackOwner> owners = threads_of(stop);
  const auto selected = std::find_if(owners.begin(), owners.end(), [&](const StackOwner& owner) {
    return tid && owner.thread->tid == *tid;
  });
  if (selected == owners.end())
    return Answer::failed({"no thread is selected", "the process has no threads",
                           "run it, or open a core that has threads", ExitStatus::no_target});
  std::optional<OtherThread> other;
  if (auto crashed = crashed_thread(stop)) {
    const bool shown = crashed->thread.tid == *tid;
    // What is selected in LLDB needs no word when it is the right one.
    if (!shown || (context.host == Host::headless && selected != owners.begin()))
      other = OtherThread{*std::move(crashed), shown};
  }
  return one_stack(context, line, stop, *selected, other);
}

Answer stack_of_thread(CommandContext& context, const CommandLine& line, const Stop& stop,
                       std::uint64_t index) {
  for (const StackOwner& owner : threads_of(stop))
    if (owner.thread->index == index) return one_stack(context, line, stop, owner);
  return Answer::failed({fmt::format("no thread {}", index),
                         "the process has no thread of this index",
                         "'cgo bt --all' shows the threads", ExitStatus::no_target});
}

Answer stack_of_goroutine(CommandContext& context, const CommandLine& line, const Stop& stop,
                          std::uint64_t id) {
  const Inventory inventory = take_inventory(stop);
  for (const StackOwner& owner : inventory.parked)
    if (owner.goroutine->id == id) return one_stack(context, line, stop, owner);
  for (const StackOwner& owner : inventory.threads) {
    const CollectedStack collected = collect_stack(stop, owner, {1, 0});
    if (collected.goroutine && collected.goroutine->id == id)
      return one_stack(context, line, stop, owner);
  }
  Failure failure{fmt::format("no goroutine {}", id),
                  fmt::format("looked through {} threads and {} goroutines",
                              inventory.threads.size(), inventory.parked.size()),
                  "'cgo goroutines' lists them", ExitStatus::no_target};
  if (!inventory.problems.empty()) failure.why += "; " + inventory.problems.front().message;
  if (stop.program->runtimes.all.empty())
    failure.hint = "'cgo doctor' says why no Go runtime was found";
  return Answer::failed(std::move(failure));
}

/// All stacks of a stop in order: those of threads first.
struct AllStacks {
  std::vector<StackOwner> owners;
  std::vector<Error> problems;
};

AllStacks all_owners(const Stop& stop) {
  Inventory inventory = take_inventory(stop);
  AllStacks all{std::move(inventory.threads), std::move(inventory.problems)};
  for (StackOwner& owner : inventory.parked) all.owners.push_back(std::move(owner));
  return all;
}

/// Nothing to show is no answer: a process has threads, a core without any is damaged.
Answer nothing_to_walk(const Stop& stop, const AllStacks& all) {
  Failure failure{"0 stacks found", "there is no thread and no goroutine",
                  "'cgo doctor' says what was found in this core", ExitStatus::no_target};
  for (const Error& problem : all.problems) failure.why += "; " + problem.message;
  for (const std::string& lack : stop.provenance.lacks) failure.why += "; " + lack;
  return Answer::failed(std::move(failure));
}

/// How far the walk over all stacks came.
struct Progress {
  std::atomic<std::size_t> walked{0}, incomplete{0};
  bool whole = false;
};

void finish_all(Answer& answer, CommandContext& context, const Stop& stop, const AllStacks& all,
                const Progress& progress) {
  if (!progress.whole)
    answer.warnings.push_back(
        cut_short(context.activity, progress.walked, all.owners.size(), "stacks"));
  else if (progress.incomplete > 0 && context.activity.lost())
    answer.warnings.push_back("the process ended while it was read");
  for (const Error& problem : all.problems) answer.warnings.push_back(problem.message);
  if (progress.incomplete > 0)
    answer.warnings.push_back(fmt::format("{} of {} stacks are not complete",
                                          progress.incomplete.load(), all.owners.size()));
  finish(answer, stop);
}

Answer all_as_json(CommandContext& context, const CommandLine& line, const Stop& stop) {
  const AllStacks all = all_owners(stop);
  if (all.owners.empty()) return nothing_to_walk(stop, all);
  Answer answer;
  const auto write = [&](std::string_view text) {
    if (context.write)
      context.write(text);
    else
      answer.out += text;
  };
  Progress progress;
  write(R"({"schema":"lldb-cgo/stacks/1","stacks":[)");
  OrderedOutput output(write, ",");
  context.activity.begin("walking stacks", all.owners.size());
  progress.whole = for_each_piece(stop, all.owners.size(), context.activity,
                                  [&](std::size_t begin, std::size_t end) {
                                    std::string text;
                                    text.reserve((end - begin) * kUsualJsonBytes);
                                    for (std::size_t i = begin; i < end; ++i) {
                                      const Stack stack = asked_stack(stop, all.owners[i], line);
                                      if (lacks_frames(stack, stop)) ++progress.incomplete;
                                      if (!text.empty()) text += ',';
                                      append_stack_json(text, stack);
                                    }
                                    progress.walked += end - begin;
                                    output.add(begin, end, std::move(text));
                                  });
  output.finish();
  context.activity.end();
  finish_all(answer, context, stop, all, progress);
  write("]" + partial_json(answer) + "}\n");
  return answer;
}

struct Folded {
  Stack stack;
  std::vector<std::uint64_t> goroutines;
};

std::string folded_text(const Folded& folded, const FormatOptions& options) {
  std::string text;
  if (folded.goroutines.size() > 1)
    text = fmt::format("{} goroutines with this stack: {}\n", folded.goroutines.size(),
                       format_members(folded.goroutines));
  text += format_stack(folded.stack, options);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

Answer all_as_text(CommandContext& context, const CommandLine& line, const Stop& stop) {
  const AllStacks all = all_owners(stop);
  if (all.owners.empty()) return nothing_to_walk(stop, all);
  std::map<std::string, std::pair<std::size_t, Folded>> by_key;  // With the first index.
  std::map<std::size_t, Folded> of_threads;
  std::mutex mutex;
  Progress progress;
  context.activity.begin("walking stacks", all.owners.size());
  progress.whole = for_each_piece(
      stop, all.owners.size(), context.activity, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          Stack stack = asked_stack(stop, all.owners[i], line);
          if (lacks_frames(stack, stop)) ++progress.incomplete;
          std::string key = stack.thread ? "" : folding_key(stack);
          const std::lock_guard lock(mutex);
          if (stack.thread) {
            of_threads[i] = {std::move(stack), {}};
            continue;
          }
          auto& [first, folded] = by_key.try_emplace(std::move(key), i, Folded{}).first->second;
          folded.goroutines.push_back(all.owners[i].goroutine->id);
          if (first < i && !folded.stack.elements.empty()) continue;
          first = i;
          folded.stack = std::move(stack);
        }
        progress.walked += end - begin;
      });
  context.activity.end();
  for (auto& [key, entry] : by_key) {
    std::sort(entry.second.goroutines.begin(), entry.second.goroutines.end());
    of_threads[entry.first] = std::move(entry.second);
  }
  Answer answer;
  const FormatOptions options = format_options(context, line);
  for (const auto& [index, folded] : of_threads) {
    if (!answer.out.empty()) answer.out += '\n';
    answer.out += folded_text(folded, options);
  }
  finish_all(answer, context, stop, all, progress);
  return answer;
}

}  // namespace

Answer run_bt(CommandContext& context, const CommandLine& line) {
  const int selectors = line.has("--all") + line.has("--goroutine") + line.has("--thread");
  if (selectors > 1)
    return Answer::failed({"more than one stack selector",
                           "--all, --goroutine and --thread exclude each other", "give one of them",
                           ExitStatus::bad_arguments});
  const auto stop = context.subject.stop();
  if (!stop) return no_stop(stop.error());
  if (line.has("--all"))
    return line.has("--json") ? all_as_json(context, line, **stop)
                              : all_as_text(context, line, **stop);
  auto id = line.number("--goroutine");
  if (!id && !line.has("--thread")) id = context.subject.selected_goroutine();
  if (id) return stack_of_goroutine(context, line, **stop, *id);
  if (const auto index = line.number("--thread"))
    return stack_of_thread(context, line, **stop, *index);
  return stack_of_selected(context, line, **stop);
}

}  // namespace cgo
