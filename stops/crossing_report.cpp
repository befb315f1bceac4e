#include "stops/crossing_report.h"

#include <fmt/format.h>

#include "crossings/format_catalogue.h"
#include "unwind/format.h"
#include "values/format_value.h"

namespace cgo {
namespace {

constexpr std::size_t kColumnsInLog = 60;

std::string_view direction(const CrossingMoment& moment) {
  const bool to_c = moment.crossing->direction == CrossingPoint::Direction::go_to_c;
  if (moment.returns) return to_c ? "C returns to Go" : "Go returns to C";
  return to_c ? "Go calls C" : "C calls Go";
}

/// What becomes of errno in this form of call; empty for exports.
std::string_view errno_form(CrossingPoint::Form form) {
  switch (form) {
    case CrossingPoint::Form::cfunc:
      return "errno is dropped";
    case CrossingPoint::Form::c2func:
      return "errno goes to Go";
    default:
      return {};
  }
}

std::string place_text(const CrossingMoment& moment) {
  std::string out;
  if (moment.goroutine) out += fmt::format("goroutine {}, ", *moment.goroutine);
  if (moment.m) out += fmt::format("M {}, ", *moment.m);
  out += moment.thread_index ? fmt::format("thread #{} ({})", *moment.thread_index, moment.tid)
                             : fmt::format("thread {}", moment.tid);
  return out + fmt::format(", depth {}", moment.depth);
}

std::string value_text(const CrossingValue& one) {
  std::string out = fmt::format("    {}", format_text(one.value));
  std::string more;
  if (!one.go_type.empty()) more += fmt::format("Go: {}", one.go_type);
  if (!one.points_to.empty()) more += (more.empty() ? "" : "; ") + one.points_to;
  if (more.empty()) return out;
  // Beside the first line: values of several lines go on below it.
  const std::size_t end = out.find('\n');
  return out.substr(0, end) + "  «" + escaped(more) + "»" + out.substr(end);
}

std::string arguments_in_line(const CrossingMoment& moment) {
  if (!moment.no_arguments.empty()) return "(?)";
  std::string out = "(";
  for (const CrossingValue& one : moment.arguments)
    out += fmt::format("{}{}={}", out.size() == 1 ? "" : ", ", escaped(one.name),
                       format_inline(one.value, kColumnsInLog));
  return out + ')';
}

std::string python_lines(const CrossingMoment& moment) {
  if (!moment.no_python.empty())
    return fmt::format("  Python's exceptions: not known ({})\n", escaped(moment.no_python));
  if (!moment.python) return {};
  return fmt::format("  python.pending: Python exception pending: {}; Go will not see it{}\n",
                     escaped(python_exception_text(*moment.python)),
                     moment.python_before ? " (one was pending before the call, too)" : "");
}

}  // namespace

MomentErrno moment_errno(const CrossingMoment& moment) {
  if (moment.errno_returned) {
    const int number = *moment.errno_returned;
    return {number == 0 ? std::string() : errno_name(number), false};
  }
  if (moment.errno_after.value_or(0) == 0 || !moment.errno_before) return {};
  const bool unchanged = *moment.errno_after == *moment.errno_before;
  if (unchanged && !moment.failed.value_or(false)) return {};
  return {errno_name(*moment.errno_after), unchanged};
}

std::string moment_verdict(const CrossingMoment& moment) {
  if (moment.python) return "python.pending";
  return moment.verdict ? moment.verdict->id : std::string();
}

std::string format_duration(std::int64_t ns) {
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return fmt::format("{:.3g} µs", static_cast<double>(ns) / 1e3);
  if (ns < 1'000'000'000) return fmt::format("{:.3g} ms", static_cast<double>(ns) / 1e6);
  return fmt::format("{:.3f} s", static_cast<double>(ns) / 1e9);
}

std::string format_moment(const CrossingMoment& moment) {
  const CrossingPoint& crossing = *moment.crossing;
  std::string out =
      fmt::format("#{} {}: {}", moment.number, direction(moment), escaped(crossing.function));
  if (const auto form = errno_form(crossing.form); !form.empty()) out += fmt::format(" ({})", form);
  if (moment.duration_ns) out += fmt::format(", after {}", format_duration(*moment.duration_ns));
  out += fmt::format("\n  {}\n", place_text(moment));
  if (moment.moved_from)
    out += fmt::format(
        "  its goroutine moved: the call before was on thread {}; it is not locked to a thread\n",
        *moment.moved_from);
  if (!moment.caller.empty()) out += fmt::format("  called by {}\n", escaped(moment.caller));
  if (!moment.no_arguments.empty())
    out += fmt::format("  arguments: not known ({})\n", escaped(moment.no_arguments));
  else if (!moment.arguments.empty())
    out += moment.returns ? "  arguments, as they were at the entry:\n" : "  arguments:\n";
  for (const CrossingValue& one : moment.arguments) out += value_text(one);
  if (moment.result) out += "  result:\n" + value_text(*moment.result);
  if (const MomentErrno found = moment_errno(moment); !found.name.empty())
    out += fmt::format("  errno: {} ({}{})\n", found.name,
                       found.unchanged ? "as before the call, which may have set it again; " : "",
                       moment.errno_returned ? "Go gets it" : "Go does not see it");
  if (moment.verdict)
    out += fmt::format("  {}: {}\n", moment.verdict->id, escaped(moment.verdict->text));
  out += python_lines(moment);
  for (const std::string& change : moment.changes) out += fmt::format("  {}\n", escaped(change));
  return out;
}

std::string format_moment_line(const CrossingMoment& moment) {
  std::string out = fmt::format("#{} ", moment.number);
  if (moment.goroutine) out += fmt::format("g{} ", *moment.goroutine);
  out +=
      fmt::format("t{} {}: {}", moment.tid, direction(moment), escaped(moment.crossing->function));
  const bool to_c = moment.crossing->direction == CrossingPoint::Direction::go_to_c;
  if (to_c || !moment.returns) out += arguments_in_line(moment);
  if (moment.result) out += " → " + format_inline(moment.result->value, kColumnsInLog);
  if (const MomentErrno found = moment_errno(moment); !found.name.empty())
    out += fmt::format(" {}{}{}", found.name, found.unchanged ? " (as before)" : "",
                       moment.errno_returned ? "" : " (dropped)");
  if (moment.duration_ns) out += ' ' + format_duration(*moment.duration_ns);
  if (moment.moved_from) out += fmt::format(" [moved from t{}]", *moment.moved_from);
  if (moment.verdict) out += " [" + moment.verdict->id + ']';
  if (moment.python)
    out += fmt::format(" [python.pending] {}", escaped(python_exception_text(*moment.python)));
  return out + '\n';
}

namespace {

template <class Number>
std::string number_or_null(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : std::string("null");
}

std::string text_or_null(const std::string& text) {
  return text.empty() ? std::string("null") : json_string(text);
}

/// Of what is pending: "type", "message", "file", "line", "function", "before".
std::string python_json(const CrossingMoment& moment) {
  if (!moment.python) return "null";
  const PythonException& one = *moment.python;
  return fmt::format(R"({{"type":{},"message":{},"file":{},"line":{},"function":{},"before":{}}})",
                     json_string(one.type), one.message ? json_string(*one.message) : "null",
                     text_or_null(one.file), one.line == 0 ? "null" : fmt::format("{}", one.line),
                     text_or_null(one.function), moment.python_before);
}

std::string arguments_json(const CrossingMoment& moment) {
  if (!moment.no_arguments.empty()) return "null";
  std::string out = "[";
  for (const CrossingValue& one : moment.arguments)
    out += (out.size() == 1 ? "" : ",") + format_json(one.value);
  return out + "]";
}

}  // namespace

std::string moment_json(const CrossingMoment& moment, std::uint64_t sequence,
                        std::int64_t time_ns) {
  const CrossingPoint& crossing = *moment.crossing;
  const bool to_c = crossing.direction == CrossingPoint::Direction::go_to_c;
  std::string out = fmt::format(
      R"({{"sequence":{},"time_ns":{},"event":"{}","direction":"{}","function":{},"go_name":{},"form":"{}")",
      sequence, time_ns, moment.returns ? "return" : "enter", to_c ? "go_to_c" : "c_to_go",
      json_string(crossing.function), json_string(crossing.go_name), form_word(crossing.form));
  out += fmt::format(
      R"(,"goroutine":{},"m":{},"thread":{},"moved_from_thread":{},"depth":{},"caller":{})",
      number_or_null(moment.goroutine), number_or_null(moment.m), moment.tid,
      number_or_null(moment.moved_from), moment.depth,
      moment.caller.empty() ? "null" : json_string(moment.caller));
  out += R"(,"arguments":)" + arguments_json(moment);
  if (!moment.returns) return out + "}";
  out += R"(,"result":)" + (moment.result ? format_json(moment.result->value) : "null");
  const MomentErrno found = moment_errno(moment);
  out += fmt::format(
      R"(,"errno":{},"errno_unchanged":{},"errno_seen_by_go":{},"verdict":{},"python":{},"duration_ns":{}}})",
      found.name.empty() ? "null" : json_string(found.name), found.unchanged,
      moment.errno_returned.has_value(), text_or_null(moment_verdict(moment)), python_json(moment),
      number_or_null(moment.duration_ns));
  return out;
}

}  // namespace cgo
