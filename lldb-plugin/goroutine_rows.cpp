#include "lldb-plugin/goroutine_rows.h"

#include <fmt/format.h>

#include <iterator>

#include "unwind/format.h"

namespace cgo {
namespace {

/// Also what the runtime implements for other packages, as time.Sleep, and the packages that only
/// stand between it and a program.
bool is_of_the_runtime(const Frame& frame) {
  return frame.file.find("/src/runtime/") != std::string_view::npos ||
         frame.function.starts_with("runtime.") || frame.function.starts_with("internal/") ||
         frame.function.starts_with("sync.") || frame.function.starts_with("syscall.");
}

void find_user_frame(GoroutineRow& row) {
  std::size_t number = 0;
  for (const StackElement& element : row.stack.elements) {
    const Frame* frame = std::get_if<Frame>(&element);
    if (frame == nullptr) continue;
    if (!frame->plumbing && !frame->function.empty() && !is_of_the_runtime(*frame)) {
      row.user_frame = *frame;
      row.user_frame_number = number;
      return;
    }
    ++number;
  }
}

std::optional<GoroutineRow::Creator> creator_of(const GoRuntime& runtime, const Goroutine& g) {
  if (!g.created_by_pc || g.id == 1) return std::nullopt;  // The runtime itself makes goroutine 1.
  const CodeAddress pc{g.created_by_pc, CodeAddress::Origin::return_address};
  GoroutineRow::Creator creator;
  creator.pc = g.created_by_pc;
  if (g.parent_id && *g.parent_id != 0) creator.goroutine = g.parent_id;
  const auto function = runtime.function_at(pc.for_lookup());
  if (!function) return creator;
  creator.function = function->name;
  const auto frames = function->module->source_frames(*function, pc.for_lookup());
  if (frames && !frames->empty()) {
    creator.function = frames->front().function;
    creator.file = frames->front().file;
    creator.line = frames->front().line;
  }
  return creator;
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  append_json_text(out, text);
  out += '"';
}

std::string duration(std::int64_t ns) {
  const double seconds = static_cast<double>(ns) / 1e9;
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::optional<GoroutineRow> goroutine_row(const Stop& stop, const StackOwner& owner) {
  CollectedStack collected = collect_stack(stop, owner);
  if (collected.runtime == nullptr || !collected.goroutine || collected.goroutine->id == 0)
    return std::nullopt;
  const Goroutine& g = *collected.goroutine;
  GoroutineRow row;
  row.id = g.id;
  row.state = collected.stack.goroutine->state;
  row.wait_reason = collected.stack.goroutine->wait_reason;
  row.wait_ns = wait_ns(g, stop.now_ns);
  row.thread = owner.thread;
  row.created_by = creator_of(*collected.runtime, g);
  row.locked_to_thread = static_cast<bool>(g.locked_m);
  row.stack = std::move(collected.stack);
  find_user_frame(row);
  return row;
}

void append_row_json(std::string& out, const GoroutineRow& row) {
  auto at = std::back_inserter(out);
  fmt::format_to(at, R"({{"id":{},"state":"{}","wait_reason":)", row.id, row.state);
  if (row.wait_reason)
    append_text(out, *row.wait_reason);
  else
    out += "null";
  out += ",\"wait_ns\":" + (row.wait_ns ? std::to_string(*row.wait_ns) : "null") + ",\"thread\":";
  if (row.thread) {
    fmt::format_to(at, R"({{"index":{},"tid":{},"name":)", row.thread->index, row.thread->tid);
    append_text(out, row.thread->name);
    out += '}';
  } else {
    out += "null";
  }
  out += ",\"created_by\":";
  if (row.created_by) {
    out += "{\"function\":";
    append_text(out, row.created_by->function);
    out += ",\"file\":";
    append_text(out, row.created_by->file);
    fmt::format_to(at, R"(,"line":{},"pc":"{}","goroutine":{}}})", row.created_by->line,
                   hex(row.created_by->pc),
                   row.created_by->goroutine ? std::to_string(*row.created_by->goroutine) : "null");
  } else {
    out += "null";
  }
  out += ",\"user_frame\":";
  if (row.user_frame)
    append_frame_json(out, *row.user_frame, row.user_frame_number);
  else
    out += "null";
  out += row.locked_to_thread ? ",\"locked_to_thread\":true}" : ",\"locked_to_thread\":false}";
}

std::string format_row(const GoroutineRow& row, bool colour) {
  std::string state = row.state;
  if (row.wait_reason) state += ": " + escaped(*row.wait_reason);
  if (row.wait_ns) state += ", " + duration(*row.wait_ns);
  if (row.thread) state += fmt::format(", thread {}", row.thread->index);
  if (row.locked_to_thread) state += ", locked to thread";
  std::string place = "?";
  if (row.user_frame) {
    const std::string function = escaped(row.user_frame->function);
    place = colour ? "\x1b[1m" + function + "\x1b[0m" : function;
    if (!row.user_frame->file.empty())
      place +=
          fmt::format("  {}:{}", escaped(base_name(row.user_frame->file)), row.user_frame->line);
  } else if (row.created_by && !row.created_by->function.empty()) {
    place = "no user frame; created by " + escaped(row.created_by->function);
  }
  return fmt::format("{:>8}  [{}]  {}\n", row.id, state, place);
}

}  // namespace cgo
