// What an arrival at a breakpoint of crossings means, and whether the process stops there.
#include "lldb-plugin/crossing_visit.h"

#include <fmt/format.h>
#include <time.h>

#include "lldb-plugin/frame_registers.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Role = CrossingSite::Role;
using When = CrossingQuery::When;
using What = CrossingTracker::What;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }
std::int64_t wall_clock_ns() { return clock_ns(CLOCK_REALTIME); }

}  // namespace

// Which arrival it is

void CrossingBreakpoint::Visit::find_machine() {
  runtime_ =
      stop_->program->runtimes.at(crossing_->entry ? crossing_->entry : Address{frame_.GetPC()});
  if (runtime_ == nullptr) return;
  const std::pair key(runtime_->parts().modules.front()->tables().text, moment_.tid);
  auto known = self_.machines_.find(key);
  Result<Machine> machine = Error{};
  if (known != self_.machines_.end()) machine = runtime_->machine(memory_, known->second.m);
  if (known == self_.machines_.end() || !machine || machine->procid != moment_.tid)
    machine = runtime_->machine_of_thread(memory_, moment_.tid);
  if (!machine) return;
  self_.machines_[key] = {machine->address, runtime_->layout().m.ncgo.bytes};
  // Source: src/runtime/runtime2.go, m: ncgocall stands right before ncgo in Go 1.19 to 1.27.
  const Address calls{machine->address.value + runtime_->layout().m.ncgo.bytes - 8};
  const auto count = read_unsigned<std::uint64_t>(memory_, calls);
  if (!count) return;
  machine_ = MachineNow{*machine, *count, std::nullopt};
  if (machine->curg)
    if (auto g = runtime_->goroutine(memory_, machine->curg)) machine_->goroutine = *std::move(g);
  moment_.m = machine->id;
  moment_.depth = machine->ncgo;
  if (machine_->goroutine && machine_->goroutine->id != 0)
    moment_.goroutine = machine_->goroutine->id;
}

Arrival CrossingBreakpoint::Visit::arrival() const {
  Arrival out{.tid = moment_.tid,
              .crossing = place_.crossing.stub.value,
              .sp = {frame_.GetSP()},
              .depth = moment_.depth,
              .time_ns = now_ns()};
  // There the return address has been taken off already.
  if (place_.site.role == Role::back_in_go) out.sp.value -= sizeof(std::uint64_t);
  if (machine_) {
    out.m = machine_->machine.address;
    out.calls = machine_->calls;
  }
  return out;
}

CrossingTracker::Event CrossingBreakpoint::Visit::track(const Arrival& arrival) {
  if (place_.site.role != Role::entry) return self_.tracker_.leave(arrival);
  return to_c() ? self_.tracker_.enter_c(arrival) : self_.tracker_.enter_go(arrival);
}

void CrossingBreakpoint::Visit::say_abandoned(const std::vector<OpenCrossing>& abandoned) {
  for (const OpenCrossing& one : abandoned) {
    self_.entered_.erase(one.number);
    // Only `return` asks for returns.
    if (request_.query.when != When::returns || request_.trace || request_.tells) continue;
    std::string name = "a crossing";
    if (const CrossingPoint* known = self_.crossing_with_stub({one.entered.crossing}))
      name = known->function;
    text += fmt::format(
        "cgo break: {} entered on thread {} never returned: its frame is gone (a panic or longjmp "
        "passed it, or the thread ended)\n",
        escaped(name), one.entered.tid);
  }
}

/// A goroutine that a panic took out of C goes on wherever there is a thread: the one that it was
/// on may not come by again.
void CrossingBreakpoint::Visit::look_at_other_threads() {
  if (request_.query.when != When::returns) return;
  for (const auto& [key, machine] : self_.machines_) {
    const std::uint64_t tid = key.second;
    if (tid == moment_.tid || !self_.tracker_.has_open(tid)) continue;
    if (const auto depth =
            read_unsigned<std::int32_t>(memory_, wrapping_add(machine.m, machine.ncgo)))
      say_abandoned(self_.tracker_.seen_at(tid, machine.m, *depth));
  }
}

/// A library that belongs to one thread breaks when the goroutine that calls it moves.
void CrossingBreakpoint::Visit::find_move() {
  if (!to_c() || runtime_ == nullptr || !moment_.goroutine) return;
  const Address code = runtime_->parts().modules.front()->tables().text;
  const auto [known, first] =
      self_.last_threads_.try_emplace(std::pair(code, *moment_.goroutine), moment_.tid);
  if (!first && known->second != moment_.tid) moment_.moved_from = known->second;
  known->second = moment_.tid;
}

bool CrossingBreakpoint::Visit::run() {
  find_machine();
  look_at_other_threads();
  const Arrival at = arrival();
  CrossingTracker::Event event = track(at);
  say_abandoned(event.abandoned);
  const bool of_returns = request_.query.when == When::returns;
  if (event.what == What::entered) {
    find_move();
    if (!of_returns) return count();
    keep_entry(event.crossing);
    if (!place_.site.leaves_too) return false;
    event = self_.tracker_.leave(at);
  }
  if (event.what != What::returned || !of_returns) return false;
  returned_too = std::move(event.returned_too);
  return returns(event.crossing, at.time_ns);
}

bool CrossingBreakpoint::Visit::run_outer(const OpenCrossing& crossing) {
  find_machine();
  return returns(crossing, now_ns());
}

bool CrossingBreakpoint::Visit::returns(const OpenCrossing& crossing, std::int64_t time_ns) {
  moment_.returns = true;
  moment_.duration_ns = time_ns - crossing.entered.time_ns;
  moment_.depth = crossing.entered.depth;
  if (const auto kept = self_.entered_.extract(crossing.number)) entered_ = kept.mapped();
  moment_.moved_from = entered_ ? entered_->moved_from : std::nullopt;
  if (const CrossingPoint* known = self_.crossing_with_stub({crossing.entered.crossing}))
    crossing_ = known;
  return count();
}

bool CrossingBreakpoint::Visit::count() {
  moment_.number = ++self_.counted_;
  moment_.crossing = crossing_;
  return decide();
}

void CrossingBreakpoint::Visit::keep_entry(const OpenCrossing& opened) {
  Entered kept{.moved_from = moment_.moved_from};
  if (to_c()) {
    if (const auto block = register_of(frame_, "rdi")) {
      kept.block_at = {*block};
      const auto& known = shape();
      if (known)
        if (auto bytes = read_bytes(memory_, kept.block_at, known->bytes, kMostDatumBytes))
          kept.block = *std::move(bytes);
      if (machine_ && machine_->goroutine && machine_->goroutine->stack.contains(kept.block_at))
        kept.below_stack = machine_->goroutine->stack.end.value - kept.block_at.value;
    }
    kept.errno_value = errno_of_thread();
    kept.python_pending = python_is_pending();
  }
  if (!request_.log) {
    kept.blocked = blocked_signals();
    kept.locale = locale_of_thread();
    kept.mxcsr = register_of(frame_, "mxcsr");
    kept.fctrl = register_of(frame_, "fctrl");
  }
  self_.entered_.insert_or_assign(opened.number, std::move(kept));
}

// Whether it counts

bool CrossingBreakpoint::Visit::was_called_there() {
  find_caller();
  if (!stack_) return false;
  for (const StackElement& element : stack_->stack.elements)
    if (const auto* frame = std::get_if<cgo::Frame>(&element);
        frame != nullptr && frame->language == Language::go &&
        frame->line == request_.query.at->line &&
        names_file(std::string(frame->file), request_.query.at->file))
      return true;
  return false;
}

std::optional<bool> CrossingBreakpoint::Visit::condition_holds() {
  scope_.set_number("thread", thread_.GetIndexID());
  scope_.set_number("depth", moment_.depth);
  if (moment_.goroutine)
    scope_.set_number("goroutine", static_cast<std::int64_t>(*moment_.goroutine));
  if (moment_.duration_ns) scope_.set_number("duration_ns", *moment_.duration_ns);
  const auto number = moment_.errno_returned ? moment_.errno_returned : moment_.errno_after;
  if (number) scope_.set_number("errno", *number);
  const auto holds = request_.condition->holds(context(), scope_);
  if (holds) return *holds;
  // A log says it once, a stop each time.
  if (self_.failed_++ == 0 || !request_.log)
    text += fmt::format("cgo break: the condition cannot be decided: {}\n",
                        escaped(holds.error().message));
  return std::nullopt;
}

bool CrossingBreakpoint::Visit::fits() {
  if (request_.slower_ns && moment_.duration_ns.value_or(0) < *request_.slower_ns) return false;
  if (request_.with_errno && moment_errno(moment_).name.empty()) return false;
  // What cannot be known stops, like a condition that cannot be decided.
  if (request_.with_python && !moment_.python && (request_.log || moment_.no_python.empty()))
    return false;
  if (request_.moved && !moment_.moved_from) return false;
  if (request_.query.at && !was_called_there()) return false;
  return true;
}

bool CrossingBreakpoint::Visit::decide() {
  if (moment_.returns) {
    read_errno();
    read_result();
    read_python();
  }
  if (!fits()) return false;
  read_arguments();
  if (request_.condition) {
    // What cannot be decided stops: not to stop would be a silent answer.
    const auto holds = condition_holds();
    if (holds && !*holds) return false;
  }
  ++self_.fitting_;
  if (request_.only && self_.fitting_ != *request_.only) return false;
  if (request_.every && self_.fitting_ % *request_.every != 0) return false;
  if (request_.trace || request_.tells) {
    find_caller();
    if (request_.trace)
      request_.trace->add(moment_, wall_clock_ns());
    else
      told = moment_json(moment_, moment_.number, wall_clock_ns());
    return false;
  }
  if (moment_.returns && !request_.log) read_changes();
  if (request_.log) {
    text += format_moment_line(moment_);
  } else {
    find_caller();
    text += format_moment(moment_);
  }
  if (request_.stack) {
    find_caller();
    text += format_stack(stack_->stack, {});
  }
  return !request_.log;
}

// The way in

TargetBreakpoint::Outcome CrossingBreakpoint::decide(const Visited& at) {
  Place* place = place_of(at.location);
  if (place == nullptr) {
    ++failed_;
    return {.stops = true,
            .text =
                "cgo break: the crossing at this location is not known any more: its file "
                "cannot be read as it was\n"};
  }
  Visit visit(*this, *place, at.frame, at.stop);
  const bool stops = visit.run();
  Outcome out{.stops = stops, .text = std::move(visit.text), .event = std::move(visit.told)};
  for (const OpenCrossing& crossing : visit.returned_too) {
    Visit outer(*this, *place, at.frame, at.stop);
    out.stops |= outer.run_outer(crossing);
    out.text += outer.text;
    if (!outer.told.empty()) out.event += (out.event.empty() ? "" : "\n") + outer.told;
  }
  return out;
}

}  // namespace cgo
