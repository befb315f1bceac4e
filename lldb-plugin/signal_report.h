#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "goruntime/signal_table.h"
#include "lldb-plugin/function_place.h"
#include "lldb-plugin/subject.h"
#include "lldb-plugin/system_calls.h"

namespace cgo {

/// What one Go runtime notes of a signal.
struct GoSignalNote {
  std::size_t runtime = 0;  ///< Index into SignalReport::runtimes.
  GoSignal note;
  std::optional<FunctionPlace> found;  ///< The handler of other code that it found.
};

struct SignalRow {
  /// What the signal does: as the kernel says.
  enum class Action : std::uint8_t { unknown, by_default, ignored, handler };
  /// Whose the handler is.
  enum class Owner : std::uint8_t { unknown, go, other };
  /// How sure `owner` is: from the kernel's table, or from Go's notes, which other code does not
  /// keep.
  enum class Certainty : std::uint8_t { none, exact, noted };

  int number = 0;
  Action action = Action::unknown;
  Owner owner = Owner::unknown;
  Certainty certainty = Certainty::none;
  std::optional<SignalAction> kernel;  ///< Asked from the kernel.
  std::optional<FunctionPlace> handler, restorer;
  std::optional<std::size_t> go_runtime;  ///< Whose handler it is.
  std::vector<GoSignalNote> notes;        ///< Of each runtime.
  /// A handler without SA_ONSTACK in a process with Go, of a signal that a thread of Go can get.
  bool breaks_go = false;
  /// All threads of Go block the signal at this moment.
  bool blocked_in_go = false;
  /// Go set its handler, and the kernel has no or another one.
  bool replaced = false;
};

struct ThreadSignalRow {
  enum class StackKind : std::uint8_t { unknown, none, go, other };
  ThreadInfo thread;
  std::optional<std::size_t> runtime;
  std::optional<std::int64_t> machine;  ///< The M that the thread is.
  std::optional<int> got;               ///< In a core: the signal that the thread ended with.
  ThreadSignals signals;
  StackKind stack_kind = StackKind::unknown;
  SignalRow::Certainty stack_certainty = SignalRow::Certainty::none;
  AddressRange stack;
  bool on_stack = false;   ///< It runs there now.
  std::string stack_text;  ///< What the memory is.
  std::string why;         ///< Why the stack is not known.
};

struct SignalReport {
  std::vector<const GoRuntime*> runtimes;
  std::vector<SignalRow> signals;  ///< All 64.
  std::vector<ThreadSignalRow> threads;
  bool asked = false;          ///< The kernel's table was asked for.
  std::uint64_t asked_in = 0;  ///< The thread that made the calls.
  std::optional<SignalSet> process_pending;
  std::vector<std::string> problems;
};

/// Reads what is known without a call; with `calls` asks the kernel too. Fails when `calls` cannot
/// be made.
Result<SignalReport> make_signal_report(const Stop& stop, SystemCalls* calls);

/// What setting an action for a signal would do to Go.
struct HandlerVerdict {
  bool known = true;        ///< What Go notes of the signal could be read.
  bool gives_back = false;  ///< The handler is Go's own.
  bool off_stack = false;   ///< A handler without SA_ONSTACK.
  /// The same, but Go has not begun to set its own handlers: it will give this one SA_ONSTACK, or
  /// replace it.
  bool before_go = false;
  bool replaces = false;  ///< In the place of Go's, as Go notes.
};
HandlerVerdict judge_handler(const Stop& stop, int number, const SignalAction& action);

/// For people; ends with a newline.
std::string signals_text(const SignalReport& report);
/// The keys of lldb-cgo/signals/1 behind its schema, without the last brace.
std::string signals_json(const SignalReport& report);

}  // namespace cgo
