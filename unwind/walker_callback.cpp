// The part of the walker that leaves a callback: from cgocallback on the goroutine's stack, over
// the C frames on the system stack, back to the Go code that called C.
#include <utility>

#include "unwind/walker.h"

namespace cgo {
namespace {

/// Trials nest only when two Go runtimes call each other through C.
constexpr unsigned kMostNestedTrials = 16;

}  // namespace

Walker::Next Walker::leave_callback(RuntimeContext& context, const SwitchSite& site) {
  const CodeInfo info = code_at(position_.registers.pc());
  PhysicalFrame& frame = record(&info, "cgocallback");
  auto anchor = callback_anchor(memory_, *context.runtime, site);
  if (!anchor) {
    const bool unreadable = anchor.error().code == ErrorCode::unreadable_memory;
    return fail(unreadable ? StopReason::bad_memory : StopReason::no_rule,
                std::move(anchor).error());
  }
  frame.cfa = anchor->cfa;

  std::optional<TrialResult> best;
  for (const auto& candidate :
       callback_candidates(memory_, *context.runtime, context.stacks, site)) {
    TrialResult trial = try_candidate(context, candidate);
    if (leads_to(trial, *anchor)) {
      take(std::move(trial));
      if (anchor->caller) return move_to(anchor->caller->registers, anchor->caller->origin, true);
      return Next::stop;
    }
    if (!best && true_as_far_as_it_goes(trial)) best = std::move(trial);
  }
  std::string why = why_c_is_missing();
  if (best) {
    why = best->walk.error ? "frames are missing here: " + best->walk.error->message
                           : "this C stack ends here; how it was entered from Go is not known";
    add_elements(*best);
  }
  add_gap(std::move(why));
  if (!anchor->caller) return end(StopReason::goroutine_entry);
  return move_to(anchor->caller->registers, anchor->caller->origin, true);
}

Walker::TrialResult Walker::try_candidate(const RuntimeContext& context,
                                          const CallbackCandidate& candidate) const {
  TrialResult out;
  if (depth_ >= kMostNestedTrials) return out;
  // A trial that ends before it arrives proves nothing: its middle is left out instead.
  const WalkLimit limit = limit_.outermost > 0 ? limit_ : WalkLimit{};
  Walker trial(env_, contexts_, limit);
  trial.depth_ = depth_ + 1;
  trial.trial_.runtime = context.runtime;
  trial.context_of(*context.runtime).stacks.callback_sp = candidate.next_in_chain;
  trial.walk_.stop = StopReason::no_rule;
  out.walk = trial.run(candidate.crosscall2);
  out.whole = trial.left_out_ == 0;
  out.meter = std::move(trial.meter_);
  out.arrived = trial.trial_.arrived;
  out.contexts = std::move(trial.contexts_);
  return out;
}

bool Walker::leads_to(const TrialResult& trial, const CallbackAnchor& anchor) const {
  if (anchor.caller)
    return trial.arrived && trial.arrived->registers.sp() == anchor.caller->registers.sp() &&
           trial.arrived->registers.pc() == anchor.caller->registers.pc();
  return !trial.arrived && trial.walk.complete();
}

/// Each frame was reached from crosscall2, where the callback saved its caller's registers, through
/// return addresses that follow calls. That holds unless the C stack was given back since: then a
/// trial reads what ran there later.
bool Walker::true_as_far_as_it_goes(const TrialResult& trial) const {
  if (saw_panic_ || saw_panic_printed_ || trial.arrived || trial.walk.elements.empty())
    return false;
  const auto* last = std::get_if<PhysicalFrame>(&trial.walk.elements.back());
  if (last == nullptr || last->go) return false;  // Not the C code's end: a switch contradicts.
  if (trial.walk.stop == StopReason::no_rule || trial.walk.stop == StopReason::thread_entry)
    return true;
  return trial.walk.error && trial.walk.error->code == ErrorCode::unreadable_memory;
}

std::string Walker::why_c_is_missing() const {
  if (saw_panic_printed_) return "C frames were overwritten while the panic was printed";
  if (saw_panic_)
    return "C frames were overwritten: deferred functions ran on their stack after a panic or "
           "Goexit";
  return "the C frames of this callback could not be verified";
}

/// A recursion that goes through callbacks is seen when their frames are counted in one row.
void Walker::add_elements(TrialResult& trial) {
  for (auto& element : trial.walk.elements) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    if (frame != nullptr && trial.whole) meter_.add(frame->pc.address);
    walk_.elements.push_back(std::move(element));
  }
  if (!trial.whole) meter_.append(trial.meter);
}

void Walker::take(TrialResult trial) {
  add_elements(trial);
  contexts_ = std::move(trial.contexts);
  if (trial.arrived) return;
  walk_.stop = trial.walk.stop;
  walk_.error = std::move(trial.walk.error);
}

}  // namespace cgo
