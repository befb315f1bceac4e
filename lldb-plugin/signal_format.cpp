#include <fmt/format.h>

#include <algorithm>

#include "lldb-plugin/signal_report.h"
#include "unwind/format.h"

namespace cgo {
namespace {

using Action = SignalRow::Action;
using Certainty = SignalRow::Certainty;
using Owner = SignalRow::Owner;
using StackKind = ThreadSignalRow::StackKind;

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : std::string(between)) + part;
  return out;
}

/// What Go did with a handler that it found.
std::string forwarding_text(const GoSignalNote& note) {
  if (!note.found) return {};
  const std::string place = format_place(*note.found);
  if (!note.note.handling) return "    when Go began its handler was " + place + "\n";
  if (note.note.forwards)
    return "    Go hands it on to " + place + " when it arrives outside of Go code\n";
  return "    Go replaced " + place + ", and hands nothing on to it\n";
}

std::string os_signal_text(const SignalRow& row) {
  std::string out;
  for (const GoSignalNote& one : row.notes) {
    if (one.note.notify.value_or(false)) out += "    signal.Notify asked for it\n";
    if (one.note.ignored.value_or(false) && row.action == Action::ignored)
      out += "    ignored by signal.Ignore, or since the program began\n";
  }
  return out;
}

std::string kernel_text(const SignalRow& row) {
  const SignalAction& action = *row.kernel;
  const auto flags = signal_action_flags(action.flags);
  std::string out = "    flags " + (flags.empty() ? "none" : joined(flags, "|")) + "; blocks " +
                    format_signals(action.mask);
  if (row.restorer)
    out +=
        "; restorer " +
        (row.restorer->function.empty() ? hex(action.restorer) : escaped(row.restorer->function)) +
        (row.restorer->module.empty() ? "" : " of " + escaped(row.restorer->module));
  out += '\n';
  if (row.breaks_go)
    out +=
        "    WITHOUT SA_ONSTACK: would break Go when it arrives on one of its threads, whose "
        "stacks are small\n";
  else if (!action.on_stack() && row.blocked_in_go)
    out += "    without SA_ONSTACK, but all threads of Go block it now\n";
  return out;
}

std::string title(const SignalRow& row) {
  if (row.action == Action::by_default) return row.replaced ? "the default action" : "";
  if (row.action == Action::ignored) return "ignored";
  if (row.handler)
    return (row.owner == Owner::go ? "Go's handler  " : "not Go's handler  ") +
           format_place(*row.handler);
  if (row.owner == Owner::go)
    return row.action == Action::handler
               ? "a handler: Go's, as Go noted; other code may have replaced it since"
               : "Go set its handler; what the kernel has is not known";
  if (row.owner == Owner::other) return "a handler that Go did not set";
  return row.action == Action::handler ? "a handler" : "";
}

/// All that is said of a signal; signals of which the same is said are shown together.
std::string details(const SignalRow& row) {
  std::string out = title(row);
  const bool has_note = std::ranges::any_of(row.notes, [](const GoSignalNote& one) {
    return one.found || one.note.notify.value_or(false);
  });
  if (out.empty() && !has_note) return {};
  if (out.empty()) out = row.action == Action::unknown ? "not handled by Go" : "the default action";
  out += '\n';
  if (row.kernel && row.kernel->has_handler()) out += kernel_text(row);
  if (row.replaced) out += "    Go had set its own handler: OTHER CODE REPLACED IT\n";
  for (const GoSignalNote& one : row.notes) out += forwarding_text(one);
  return out + os_signal_text(row);
}

/// Other code's before Go's, one signal before many.
std::string signals_section(const SignalReport& report) {
  std::vector<std::pair<std::string, std::vector<const SignalRow*>>> groups;
  std::size_t by_default = 0;
  for (const SignalRow& row : report.signals) {
    std::string text = details(row);
    if (text.empty()) {
      ++by_default;
      continue;
    }
    const auto same = std::ranges::find(groups, text, [](const auto& one) { return one.first; });
    if (same == groups.end())
      groups.push_back({std::move(text), {&row}});
    else
      same->second.push_back(&row);
  }
  std::ranges::stable_sort(groups, [](const auto& a, const auto& b) {
    const auto rank = [](const SignalRow& row) {
      if (row.breaks_go || row.replaced) return 0;
      return row.owner == Owner::other ? 1 : row.owner == Owner::go ? 2 : 3;
    };
    return rank(*a.second.front()) < rank(*b.second.front());
  });
  std::string out;
  for (const auto& [text, rows] : groups) {
    SignalSet set;
    for (const SignalRow* row : rows) set.bits |= std::uint64_t{1} << (row->number - 1);
    out += "  " + format_signals(set) + ": " + text;
  }
  const bool kernel = std::ranges::all_of(
      report.signals, [](const SignalRow& row) { return row.action != Action::unknown; });
  return out + fmt::format("  {} {}\n", by_default,
                           kernel ? "others have the default action" : "others: nothing is known");
}

std::string source_text(const SignalReport& report) {
  if (report.asked)
    return fmt::format("handlers: the kernel's table, asked on thread {}\n", report.asked_in);
  if (report.signals.front().action != Action::unknown)
    return "handlers: which signals have one is the kernel's answer; whose they are is what Go's "
           "runtime noted ('--call' asks the kernel)\n";
  return "handlers: what Go's runtime noted; a core does not have the kernel's table\n";
}

std::string stack_text(const ThreadSignalRow& row) {
  if (row.stack_kind == StackKind::none) return "no alternate stack";
  if (row.stack.empty()) return "alternate stack not known: " + escaped(row.why);
  std::string out = row.stack_certainty == Certainty::exact ? "alternate stack "
                                                            : "alternate stack (as Go noted) ";
  out += fmt::format("{}-{}", hex(row.stack.begin), hex(row.stack.end));
  if (row.stack_kind != StackKind::unknown)
    out += row.stack_kind == StackKind::go ? ", Go's" : ", not Go's";
  out += ": " + escaped(row.stack_text);
  if (row.on_stack) out += "; runs on it now";
  return out;
}

std::string thread_text(const ThreadSignalRow& row) {
  std::string out = fmt::format("  thread {} (tid {})  ", row.thread.index, row.thread.tid);
  out += row.machine ? fmt::format("M{}", *row.machine) : std::string("not Go's");
  if (row.got) out += "  got " + signal_name(*row.got);
  if (row.signals.blocked) out += "  blocks " + format_signals(*row.signals.blocked);
  if (row.signals.pending && row.signals.pending->bits != 0)
    out += "  pending " + format_signals(*row.signals.pending);
  return out + "\n    " + stack_text(row) + '\n';
}

}  // namespace

std::string signals_text(const SignalReport& report) {
  std::string out = source_text(report) + signals_section(report);
  if (report.process_pending && report.process_pending->bits != 0)
    out += "pending for any thread: " + format_signals(*report.process_pending) + '\n';
  out += fmt::format("{} thread{}\n", report.threads.size(), report.threads.size() == 1 ? "" : "s");
  for (const ThreadSignalRow& row : report.threads) out += thread_text(row);
  return out;
}

}  // namespace cgo
