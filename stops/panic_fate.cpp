#include "stops/panic_fate.h"

#include <algorithm>

namespace cgo {
namespace {

/// The frames of Go from `begin` on, as far as none is missing.
struct GoPart {
  std::vector<DeferringFrame> frames;
  std::vector<std::size_t> physical;  // Of each.
  std::optional<Error> missing;
};

GoPart go_frames(const Walk& walk, AddressRange goroutine_stack, std::size_t begin) {
  GoPart out;
  for (std::size_t i = begin; i < walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
    if (frame == nullptr) {
      out.missing =
          Error{ErrorCode::not_found, "frames are missing: " + std::get<Gap>(walk.elements[i]).why};
      return out;
    }
    // What runs on system stacks defers nothing.
    if (!frame->go || !frame->cfa || !goroutine_stack.contains(frame->registers.sp())) continue;
    out.frames.push_back({*frame->go, frame->registers.sp(), frame->cfa});
    out.physical.push_back(i);
  }
  if (!walk.complete())
    out.missing = walk.error ? *walk.error : Error{ErrorCode::not_found, "the stack is not whole"};
  return out;
}

}  // namespace

bool has_c_frames(const Walk& walk) {
  return std::ranges::any_of(walk.elements, [](const auto& element) {
    const auto* frame = std::get_if<PhysicalFrame>(&element);
    return frame != nullptr && !frame->go;
  });
}

std::vector<std::size_t> c_frames_between(const Stack& stack, std::size_t from, std::size_t to) {
  std::vector<std::size_t> out;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->plumbing || frame->physical <= from || frame->physical >= to)
      continue;
    const bool is_c = frame->language != Language::go && frame->language != Language::assembly;
    if (is_c && (out.empty() || out.back() != frame->physical)) out.push_back(frame->physical);
  }
  return out;
}

PanicFate panic_fate(const MemoryReader& memory, const GoRuntime& runtime,
                     const DeferLayout& layout, const Goroutine& goroutine, const Walk& walk,
                     std::size_t panicking) {
  PanicFate out;
  const GoPart part = go_frames(walk, goroutine.stack, panicking + 1);
  for (std::size_t i = 0; i < part.frames.size(); ++i) {
    if (part.frames[i].function.id == FuncId::gopanic) out.earlier.push_back(part.physical[i]);
    if (part.frames[i].function.name == "runtime.Goexit") out.goexit = part.physical[i];
  }
  const DeferredCalls calls =
      deferred_calls(memory, layout, goroutine.address, part.frames, !part.missing);
  out.pending = calls.found.size();
  RecoverCalls recovers(memory, runtime);
  for (const DeferredCall& one : calls.found) {
    const std::size_t physical = part.physical[one.frame];
    RecoverCall call = recovers.of(one.closure);
    if (call.kind == RecoverCall::Kind::none) continue;
    // A loop defers the same function again and again.
    const bool again = !out.chances.empty() && out.chances.back().physical == physical &&
                       out.chances.back().call == call;
    if (!again) out.chances.push_back({physical, std::move(call)});
  }
  out.unknown = calls.error ? calls.error : part.missing;
  return out;
}

}  // namespace cgo
