#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crossings/catalogue.h"
#include "stops/errno_verdict.h"
#include "stops/python_error.h"
#include "values/value.h"

namespace cgo {

/// One argument or result at a stop.
struct CrossingValue {
  std::string name;
  std::string go_type;  ///< Go's name of its type; empty where it is not known.
  Value value;
  std::string points_to;  ///< What a pointer points to: "C block of 24 bytes"; else empty.
};

/// What may be seen of a crossing at its entry or its return.
struct CrossingMoment {
  bool returns = false;
  const CrossingPoint* crossing = nullptr;
  std::uint64_t number = 0;  ///< Of the arrivals at this breakpoint, from 1.
  std::uint64_t tid = 0;
  std::optional<std::uint32_t> thread_index;
  std::optional<std::uint64_t> goroutine;
  std::optional<std::int64_t> m;
  std::int32_t depth = 0;  ///< Calls into C that are in progress on the thread, this one included.
  /// The thread that its goroutine's last call into C at this breakpoint was on, when it is another
  /// one: a goroutine that is not locked to its thread moves.
  std::optional<std::uint64_t> moved_from;
  std::string caller;  ///< "main.main at main.go:12": who called, where it was looked up.
  std::vector<CrossingValue> arguments;
  std::string no_arguments;  ///< Why there are none, where they are not known.
  // Of a return:
  std::optional<CrossingValue> result;
  std::optional<std::int64_t> duration_ns;
  std::optional<int> errno_before, errno_after, errno_returned;
  std::optional<bool> failed;  ///< Whether the result says so; see looks_failed.
  std::optional<ErrnoVerdict> verdict;
  std::optional<PythonException> python;  ///< Pending on the thread, in a program with CPython.
  bool python_before = false;             ///< One was at the entry, too.
  std::string no_python;                  ///< Why that is not known, where there is a CPython.
  std::vector<std::string> changes;       ///< "the signal mask changed: …".
};

/// For people, several lines: what is at a stop.
std::string format_moment(const CrossingMoment& moment);
/// The same on one line, for a log.
std::string format_moment_line(const CrossingMoment& moment);

/// The same as one JSON object: "sequence", "time_ns" (as given), "goroutine", "m", "thread" (tid),
/// "direction", "function", "go_name", "form", "event" ("enter", "return"), "depth",
/// "moved_from_thread", "caller",/// "arguments", "result", "errno", "errno_unchanged",
/// "errno_seen_by_go", "verdict", "python", "duration_ns"; null where something is not known.
std::string moment_json(const CrossingMoment& moment, std::uint64_t sequence, std::int64_t time_ns);

/// The id of what is wrong with this return: "python.pending" before what is said of errno, which
/// CPython itself leaves behind; empty for nothing.
std::string moment_verdict(const CrossingMoment& moment);

/// The name of what errno was set to by the call, or given to Go; empty for neither. A call that
/// failed and left errno as it was may have set it again: `unchanged` says that nobody can tell.
struct MomentErrno {
  std::string name;
  bool unchanged = false;
};
MomentErrno moment_errno(const CrossingMoment& moment);

/// "1.2 ms".
std::string format_duration(std::int64_t ns);

}  // namespace cgo
