#include "lldb-plugin/signal_questions.h"

#include <algorithm>

namespace cgo {
namespace {

using Certainty = SignalRow::Certainty;
using StackKind = ThreadSignalRow::StackKind;

// Source: Linux arch/x86/entry/syscalls/syscall_64.tbl.
constexpr std::uint64_t kRtSigaction = 13, kSigaltstack = 131;
constexpr std::uint64_t kMaskBytes = 8;

SystemCalls::Call sigaltstack_call() {
  return {kSigaltstack, {0, 0, 0, 0}, 1, AlternateStack::kBytes};
}

std::vector<SystemCalls::Call> all_calls() {
  std::vector<SystemCalls::Call> out;
  for (std::uint64_t number = 1; number <= kMostSignals; ++number)
    out.push_back({kRtSigaction, {number, 0, 0, kMaskBytes}, 2, SignalAction::kBytes});
  out.push_back(sigaltstack_call());
  return out;
}

void take_stack(const Result<std::vector<std::byte>>& answer, ThreadSignalRow& row) {
  const auto stack =
      answer ? decode_alternate_stack(*answer) : Result<AlternateStack>(answer.error());
  if (!stack) {
    row.why = stack.error().message;
    return;
  }
  row.stack_certainty = Certainty::exact;
  row.stack = stack->disabled() ? AddressRange{} : stack->range();
  row.stack_kind = stack->disabled() ? StackKind::none : StackKind::unknown;
}

}  // namespace

Result<void> ask_kernel(SystemCalls& calls, SignalReport& report) {
  std::optional<Error> why;
  for (ThreadSignalRow& row : report.threads) {
    auto possible = calls.possible(row.thread.tid);
    if (!possible) {
      row.why = possible.error().message;
      if (!why) why = std::move(possible).error();
      continue;
    }
    const bool first = !report.asked;
    auto answers =
        calls.make(row.thread.tid, first ? all_calls() : std::vector{sigaltstack_call()});
    if (!answers) return std::move(answers).error();
    take_stack(answers->back(), row);
    if (!first) continue;
    report.asked = true;
    report.asked_in = row.thread.tid;
    for (std::size_t i = 0; i < report.signals.size(); ++i) {
      const auto& answer = answers->at(i);
      const auto action =
          answer ? decode_signal_action(*answer) : Result<SignalAction>(answer.error());
      if (action)
        report.signals[i].kernel = *action;
      else
        report.problems.push_back(signal_name(report.signals[i].number) + ": " +
                                  action.error().message);
    }
  }
  if (report.asked) return {};
  if (why) return Error{why->code, "no thread is at a safe place: " + why->message};
  return Error{ErrorCode::not_found, "the process has no threads"};
}

}  // namespace cgo
