#include <fmt/format.h>

#include <iterator>

#include "unwind/format.h"

namespace cgo {
namespace {

void append_text_or_null(std::string& out, const std::optional<std::string>& text) {
  if (!text) {
    out += "null";
    return;
  }
  out += '"';
  append_json_text(out, *text);
  out += '"';
}

void append_thread(std::string& out, const ThreadInfo& thread) {
  fmt::format_to(std::back_inserter(out), R"({{"index":{},"tid":{},"name":")", thread.index,
                 thread.tid);
  append_json_text(out, thread.name);
  out += "\"}";
}

void append_goroutine(std::string& out, const GoroutineSummary& goroutine) {
  fmt::format_to(std::back_inserter(out), R"({{"id":{},"state":")", goroutine.id);
  append_json_text(out, goroutine.state);
  out += "\",\"wait_reason\":";
  append_text_or_null(out, goroutine.wait_reason);
  out += '}';
}

const char* boolean(bool value) { return value ? "true" : "false"; }

}  // namespace

void append_frame_json(std::string& out, const Frame& frame, std::size_t index) {
  const auto at = std::back_inserter(out);
  fmt::format_to(at, R"({{"index":{},"language":"{}","function":")", index,
                 format_language(frame.language));
  append_json_text(out, frame.function);
  out += R"(","module":")";
  append_json_text(out, frame.module);
  fmt::format_to(at, R"(","pc":"{:#x}","sp":"{:#x}","file":)", frame.pc.address.value,
                 frame.sp.value);
  if (frame.file.empty()) {
    out += "null";
  } else {
    out += '"';
    append_json_text(out, frame.file);
    out += '"';
  }
  out += R"(,"line":)";
  if (frame.line == 0) {
    out += "null";
  } else {
    fmt::format_to(at, "{}", frame.line);
  }
  const char* crossing = format_crossing(frame.crossing);
  fmt::format_to(at, R"(,"inlined":{},"plumbing":{},"crossing":{}{}{},"certainty":"{}")",
                 boolean(frame.inlined), boolean(frame.plumbing), crossing ? "\"" : "",
                 crossing ? crossing : "null", crossing ? "\"" : "",
                 frame.certainty == Certainty::exact ? "exact" : "guess");
  if (frame.tail_call) out += R"(,"tail_call":true)";
  if (frame.cfa) fmt::format_to(at, R"(,"cfa":"{:#x}")", frame.cfa.value);
  out += '}';
}

void append_stack_json(std::string& out, const Stack& stack) {
  out += "{\"thread\":";
  if (stack.thread)
    append_thread(out, *stack.thread);
  else
    out += "null";
  out += ",\"goroutine\":";
  if (stack.goroutine)
    append_goroutine(out, *stack.goroutine);
  else
    out += "null";
  fmt::format_to(std::back_inserter(out), R"(,"complete":{},"end":"{}","error":)",
                 boolean(stack.complete()), format_stop_reason(stack.end));
  append_text_or_null(out, stack.error ? std::optional(stack.error->message) : std::nullopt);
  if (stack.note) {
    out += ",\"note\":";
    append_text_or_null(out, stack.note);
  }
  out += ",\"frames\":[";
  std::size_t index = 0;
  bool first = true;
  for (const StackElement& element : stack.elements) {
    if (!first) out += ',';
    first = false;
    if (const auto* gap = std::get_if<Gap>(&element)) {
      out += "{\"gap\":";
      append_text_or_null(out, gap->why);
      out += '}';
      continue;
    }
    append_frame_json(out, std::get<Frame>(element), index++);
  }
  out += "]}";
}

std::string stacks_json(std::span<const Stack> stacks) {
  std::string out = R"({"schema":"lldb-cgo/stacks/1","stacks":[)";
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    if (i != 0) out += ',';
    append_stack_json(out, stacks[i]);
  }
  out += "]}";
  return out;
}

}  // namespace cgo
