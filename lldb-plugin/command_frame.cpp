#include <fmt/format.h>

#include "lldb-plugin/lldb_commands.h"
#include "lldb-plugin/native_frames.h"
#include "lldb-plugin/stack_collection.h"
#include "unwind/format.h"

namespace cgo {
namespace {

/// The stack of the selected thread, and which frame of it is selected. Frames are numbered as `cgo
/// bt` numbers them: gaps do not count.
struct Selection {
  std::shared_ptr<const Stop> stop;  // Keeps the texts of the frames.
  CollectedStack collected;
  std::uint64_t tid = 0;
  std::size_t selected = 0;
  std::vector<std::size_t> elements;  // Of each frame number.

  const Frame* frame(std::size_t number) const {
    if (number >= elements.size()) return nullptr;
    return &std::get<Frame>(collected.stack.elements[elements[number]]);
  }
};

Result<Selection> current_selection(LldbContext& context) {
  const auto stop = context.session.stop();
  if (!stop) return stop.error();
  Selection selection;
  selection.tid = context.thread.IsValid() ? context.thread.GetThreadID() : 0;
  for (const StackOwner& owner : threads_of(**stop)) {
    if (owner.thread->tid != selection.tid) continue;
    selection.stop = *stop;
    selection.collected = collect_stack(**stop, owner);
    selection.selected = context.session.selected_frame(selection.tid).value_or(0);
    const auto& elements = selection.collected.stack.elements;
    for (std::size_t i = 0; i < elements.size(); ++i)
      if (std::holds_alternative<Frame>(elements[i])) selection.elements.push_back(i);
    return selection;
  }
  return Error{ErrorCode::not_found, "no thread is selected"};
}

std::string frame_line(const Frame& frame, std::size_t number) {
  std::string text =
      fmt::format("frame #{} {} {}", number, format_language(frame.language),
                  frame.function.empty() ? hex(frame.pc.address) : escaped(frame.function));
  if (!frame.file.empty()) text += fmt::format(" at {}:{}", escaped(frame.file), frame.line);
  if (!frame.module.empty()) text += fmt::format(" in {}", escaped(frame.module));
  if (frame.inlined) text += " [inlined]";
  if (frame.tail_call) text += " [tail call]";
  return text + "\n";
}

std::string source_of(LldbContext& context, const Frame& frame) {
  if (frame.file.empty() || frame.line == 0) return "";
  lldb::SBStream text;
  lldb::SBFileSpec file(std::string(frame.file).c_str(), false);
  context.debugger.GetSourceManager().DisplaySourceLinesWithLineNumbers(file, frame.line, 2, 2,
                                                                        "->", text);
  return text.GetData() == nullptr ? "" : text.GetData();
}

std::uint32_t native_selection(lldb::SBThread thread) {
  lldb::SBFrame frame = thread.GetSelectedFrame();
  return frame.IsValid() ? frame.GetFrameID() : 0;
}

Answer select(LldbContext& context, const Selection& selection, std::size_t number) {
  const Frame* frame = selection.frame(number);
  if (frame == nullptr) {
    const std::size_t count = selection.elements.size();
    return Answer::failed({fmt::format("no frame {}", number),
                           count == 0 ? "the stack has no frames"
                                      : fmt::format("the stack has frames 0 to {}", count - 1),
                           "'cgo bt --raw' shows all frames", ExitStatus::no_target});
  }
  context.session.select_frame(selection.tid, number);
  if (context.settings.native_bt())
    select_native_frame(context.thread, selection.collected, selection.elements[number]);
  context.session.saw_native_frame(selection.tid, native_selection(context.thread));
  Answer answer;
  answer.out = frame_line(*frame, number) + source_of(context, *frame);
  return answer;
}

Answer failed_selection(const Error& error) {
  return Answer::failed({"cannot select a frame", error.message,
                         "stop the process and select a thread ('thread select N')",
                         ExitStatus::no_target});
}

/// Steps from the selected frame over plumbing; `outward` says which way.
Answer step(LldbContext& context, bool outward) {
  const auto selection = current_selection(context);
  if (!selection) return failed_selection(selection.error());
  const std::size_t count = selection->elements.size();
  for (std::size_t at = selection->selected; outward ? at + 1 < count : at > 0;) {
    at = outward ? at + 1 : at - 1;
    if (!selection->frame(at)->plumbing) return select(context, *selection, at);
  }
  return Answer::failed(
      {outward ? "no outer frame" : "no inner frame",
       outward ? "the outermost frame is selected" : "the innermost frame is selected",
       "'cgo frame N' selects plumbing frames too", ExitStatus::no_target});
}

}  // namespace

void follow_native_selection(LldbContext& context) {
  if (!context.thread.IsValid() || !context.session.stop()) return;
  const std::uint64_t tid = context.thread.GetThreadID();
  const std::uint32_t native = native_selection(context.thread);
  if (native == context.session.native_frame(tid)) return;
  context.session.saw_native_frame(tid, native);
  const auto selection = current_selection(context);
  if (!selection) return;
  const auto element = element_of_native_frame(context.thread, selection->collected, native);
  for (std::size_t number = 0; element && number < selection->elements.size(); ++number)
    if (selection->elements[number] == *element)
      context.session.select_frame(selection->tid, number);
}

Answer run_frame(LldbContext& context, const CommandLine& line) {
  const auto selection = current_selection(context);
  if (!selection) return failed_selection(selection.error());
  return select(context, *selection, parse_number(line.positionals.at(0)).value_or(0));
}

Answer run_up(LldbContext& context, const CommandLine&) { return step(context, true); }
Answer run_down(LldbContext& context, const CommandLine&) { return step(context, false); }

}  // namespace cgo
