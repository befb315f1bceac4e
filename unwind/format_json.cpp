#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>

#include "unwind/format.h"
#include "unwind/kept_walk.h"

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

// Frames are most of every answer: fmt takes longer for one than unwinding it does.

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), end);
}

void append_address(std::string& out, std::string_view before, Address address) {
  out += before;
  append_number(out, address.value, 16);
}

}  // namespace

void append_frame_json(std::string& out, const Frame& frame, std::size_t index) {
  out += R"({"index":)";
  append_number(out, index);
  out += R"(,"language":")";
  out += format_language(frame.language);
  out += R"(","function":")";
  append_json_text(out, frame.function);
  out += R"(","module":")";
  append_json_text(out, frame.module);
  append_address(out, R"(","pc":"0x)", frame.pc.address);
  append_address(out, R"(","sp":"0x)", frame.sp);
  out += R"(","file":)";
  if (frame.file.empty()) {
    out += "null";
  } else {
    out += '"';
    append_json_text(out, frame.file);
    out += '"';
  }
  out += R"(,"line":)";
  if (frame.line == 0)
    out += "null";
  else
    append_number(out, frame.line);
  out += frame.inlined ? R"(,"inlined":true)" : R"(,"inlined":false)";
  out += frame.plumbing ? R"(,"plumbing":true)" : R"(,"plumbing":false)";
  if (const char* crossing = format_crossing(frame.crossing)) {
    out += R"(,"crossing":")";
    out += crossing;
    out += '"';
  } else {
    out += R"(,"crossing":null)";
  }
  out +=
      frame.certainty == Certainty::exact ? R"(,"certainty":"exact")" : R"(,"certainty":"guess")";
  if (is_kept(frame)) out += R"(,"kept":true)";
  if (frame.tail_call) out += R"(,"tail_call":true)";
  if (frame.cfa) {
    append_address(out, R"(,"cfa":"0x)", frame.cfa);
    out += '"';
  }
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
  if (stack.fault) out += ",\"fault\":" + stack.fault->json;
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
