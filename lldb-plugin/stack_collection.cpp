#include "lldb-plugin/stack_collection.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "lldb-plugin/kept_panics.h"

namespace cgo {
namespace {

constexpr std::size_t kPiece = 256;

/// The goroutine a thread runs, without walking its stack: m.curg of the m whose procid is the tid.
std::set<Address> running_goroutines(const GoRuntime& runtime, const Stop& stop) {
  std::set<Address> running;
  std::set<std::uint64_t> tids;
  for (const ThreadInfo& thread : stop.debuggee->threads()) tids.insert(thread.tid);
  for (const Machine& machine : runtime.machines(stop.debuggee->memory()).found)
    if (machine.curg && tids.contains(machine.procid)) running.insert(machine.curg);
  return running;
}

GoroutineSummary summary_of(const GoRuntime& runtime, const MemoryReader& memory,
                            const Goroutine& g) {
  GoroutineSummary summary{g.id, format_status(g.status), std::nullopt};
  if (g.status == GStatus::waiting && g.wait_reason != 0) {
    auto reason = runtime.wait_reason(memory, g.wait_reason);
    if (reason) summary.wait_reason = *std::move(reason);
  }
  return summary;
}

}  // namespace

std::vector<StackOwner> threads_of(const Stop& stop) {
  std::vector<StackOwner> owners;
  for (ThreadInfo& thread : stop.debuggee->threads())
    owners.push_back({.thread = std::move(thread)});
  return owners;
}

Inventory take_inventory(const Stop& stop) {
  Inventory inventory;
  inventory.threads = threads_of(stop);
  const MemoryReader& memory = stop.debuggee->memory();
  for (const auto& runtime : stop.program->runtimes.all) {
    const std::set<Address> running = running_goroutines(*runtime, stop);
    GoRuntime::Goroutines all = runtime->goroutines(memory);
    for (Error& error : all.errors) inventory.problems.push_back(std::move(error));
    std::sort(all.found.begin(), all.found.end(),
              [](const Goroutine& a, const Goroutine& b) { return a.id < b.id; });
    for (Goroutine& g : all.found)
      if (g.alive() && g.id != 0 && !running.contains(g.address))
        inventory.parked.push_back({.runtime = runtime.get(), .goroutine = std::move(g)});
  }
  return inventory;
}

CollectedStack collect_stack(const Stop& stop, const StackOwner& owner, WalkLimit limit) {
  CollectedStack collected;
  Stack& stack = collected.stack;
  stack.thread = owner.thread;
  if (owner.thread) {
    Unwinder::ThreadWalk walked = stop.unwinder->thread(owner.thread->tid, limit);
    collected.walk = std::move(walked.walk);
    collected.runtime = walked.runtime;
    collected.goroutine = std::move(walked.goroutine);
    stack.note = std::move(walked.note);
  } else if (owner.goroutine->status == GStatus::running) {
    // Its saved registers are from before it ran: a stack from them would be invented.
    collected.runtime = owner.runtime;
    collected.goroutine = owner.goroutine;
    collected.walk.error =
        Error{ErrorCode::not_found, "it runs, but on no thread that is known here"};
  } else {
    collected.runtime = owner.runtime;
    collected.goroutine = owner.goroutine;
    collected.walk = stop.unwinder->parked(*owner.runtime, *owner.goroutine, limit);
  }
  if (stop.kept_panics && collected.runtime != nullptr && collected.goroutine)
    stop.kept_panics->fill(collected.walk, *collected.goroutine, *collected.runtime);
  if (collected.runtime != nullptr && collected.goroutine)
    stack.goroutine = summary_of(*collected.runtime, stop.debuggee->memory(), *collected.goroutine);
  stack.elements = stop.program->symbolizer->symbolize(collected.walk);
  stack.end = collected.walk.stop;
  stack.error = collected.walk.error;
  return collected;
}

void cut_stack(Stack& stack, std::size_t frames, bool plumbing) {
  const auto counts = [&](const StackElement& element) {
    const Frame* frame = std::get_if<Frame>(&element);
    return frame == nullptr || plumbing || !frame->plumbing;
  };
  auto& elements = stack.elements;
  std::size_t kept = 0, seen = 0;
  while (kept < elements.size() && seen < frames) {
    const StackElement& element = elements[kept++];
    if (std::holds_alternative<Frame>(element) && counts(element)) ++seen;
  }
  const auto rest = elements.begin() + static_cast<std::ptrdiff_t>(kept);
  if (std::none_of(rest, elements.end(), counts)) return;
  elements.erase(rest, elements.end());
  stack.end = StopReason::frame_limit;
  stack.error = Error{ErrorCode::limit_reached, std::to_string(frames) + " frames were asked for"};
}

bool for_each_piece(const Stop& stop, std::size_t count, Activity& activity,
                    const std::function<void(std::size_t begin, std::size_t end)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> cancelled{false};
  const auto worker = [&] {
    while (!cancelled) {
      const std::size_t begin = next.fetch_add(kPiece);
      if (begin >= count) return;
      if (activity.cancelled() || activity.lost()) {
        cancelled = true;
        return;
      }
      const std::size_t end = std::min(count, begin + kPiece);
      work(begin, end);
      activity.advance(end - begin);
    }
  };
  const std::size_t pieces = (count + kPiece - 1) / kPiece;
  const std::size_t wanted = std::min<std::size_t>(pieces, std::thread::hardware_concurrency());
  std::vector<std::thread> helpers;
  if (stop.parallel && wanted > 1 && stop.before_parallel) stop.before_parallel();
  if (stop.parallel)
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(worker);
  worker();
  for (std::thread& helper : helpers) helper.join();
  return !cancelled;
}

}  // namespace cgo
