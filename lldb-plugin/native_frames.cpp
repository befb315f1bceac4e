#include "lldb-plugin/native_frames.h"

#include <utility>

#include "lldb-plugin/goroutine_threads.h"

namespace cgo {
namespace {

bool passes_through_go(const Walk& walk) {
  for (const auto& element : walk.elements)
    if (const auto* frame = std::get_if<PhysicalFrame>(&element); frame != nullptr && frame->go)
      return true;
  return false;
}

/// The thread, or the goroutine that LLDB lists as one.
std::optional<StackOwner> owner_of(const Stop& stop, std::uint64_t tid) {
  StackOwner owner;
  const auto id = goroutine_of_tid(tid);
  if (!id) {
    owner.thread.emplace().tid = tid;
    return owner;
  }
  for (const auto& runtime : stop.program->runtimes.all) {
    for (Goroutine& g : runtime->goroutines(stop.debuggee->memory()).found) {
      if (g.id != *id || !g.alive()) continue;
      owner.runtime = runtime.get();
      owner.goroutine = std::move(g);
      return owner;
    }
    break;
  }
  return std::nullopt;
}

/// The stack of a thread whose registers were taken.
std::optional<CollectedStack> walk_taken(const Stop& stop, const LldbDebuggee& debuggee,
                                         std::uint64_t tid) {
  const LldbDebuggee::TakenAreEnough without_asking(debuggee);
  const auto owner = owner_of(stop, tid);
  if (!owner) return std::nullopt;
  return collect_stack(stop, *owner);
}

/// In C few registers do for nearly every stack, and a rule that needs another one fails. So they
/// are tried, while LLDB can still be asked for the others. The walk is kept when it succeeded.
void take_registers_in_c(Session& session, std::shared_ptr<const Stop> stop, std::uint64_t tid,
                         lldb::SBFrame innermost) {
  const LldbDebuggee& debuggee = session.debuggee();
  debuggee.take_few_registers(tid, innermost);
  auto walked = walk_taken(*stop, debuggee, tid);
  if (walked && walked->walk.complete())
    session.keep_walked(Session::WalkedAhead{std::move(stop), tid, *std::move(walked)});
  else
    debuggee.take_registers(tid, innermost, false);
}

/// Frames of the list up to and including `element`, in LLDB's terms: which call, and how many
/// frames of the same call lie between it and the outermost of that call.
struct Place {
  std::size_t call = 0;
  std::size_t from_outermost = 0;
};

std::optional<Place> place_of(const CollectedStack& collected, std::size_t element) {
  const auto& elements = collected.stack.elements;
  const Frame* wanted = std::get_if<Frame>(&elements[element]);
  if (wanted == nullptr) return std::nullopt;
  Place place;
  for (std::size_t i = 0; i < wanted->physical; ++i)
    if (std::holds_alternative<PhysicalFrame>(collected.walk.elements[i])) ++place.call;
  for (std::size_t i = element + 1; i < elements.size(); ++i) {
    const Frame* frame = std::get_if<Frame>(&elements[i]);
    if (frame == nullptr || frame->physical != wanted->physical) break;
    ++place.from_outermost;
  }
  return place;
}

/// How many frames at the top of LLDB's list are one call that Go inlined into: the frame provider
/// puts the outer levels after LLDB's frame 0, with its pc and marked artificial. 0 without such.
std::uint32_t frames_of_inlined_go(lldb::SBThread thread, std::uint32_t count) {
  const lldb::addr_t pc = thread.GetFrameAtIndex(0).GetPC();
  std::uint32_t frames = 1;
  for (; frames < count; ++frames) {
    lldb::SBFrame frame = thread.GetFrameAtIndex(frames);
    if (!frame.IsArtificial() || frame.GetPC() != pc) break;
  }
  return frames > 1 ? frames : 0;
}

/// Calls `visit(call, LLDB's frames of it, innermost first)` from the innermost call on, until it
/// returns false.
template <class Visit>
void each_call(lldb::SBThread thread, const Visit& visit) {
  std::size_t call = 0;
  std::vector<std::uint32_t> of_call;
  const std::uint32_t count = thread.GetNumFrames();
  const std::uint32_t inlined_go = frames_of_inlined_go(thread, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    lldb::SBFrame frame = thread.GetFrameAtIndex(i);
    of_call.push_back(i);
    if (i + 1 < inlined_go) continue;
    if (i >= inlined_go && (frame.IsInlined() || frame.IsArtificial())) continue;
    if (!visit(call, std::as_const(of_call))) return;
    ++call;
    of_call.clear();
  }
}

}  // namespace

void take_registers(Sessions& sessions, lldb::SBProcess process, std::uint64_t tid,
                    lldb::SBFrame innermost, bool handed_over) {
  auto session = sessions.try_use(process);
  if (!session) return;
  const auto stop = (*session)->stop();
  if (!stop || (*stop)->program->runtimes.all.empty()) return;
  (*session)->keep_walked(std::nullopt);
  if (handed_over)
    (*session)->debuggee().take_basic_registers(tid, innermost);
  else if ((*stop)->program->runtimes.at(Address{innermost.GetPC()}) != nullptr)
    (*session)->debuggee().take_registers(tid, innermost, true);
  else
    take_registers_in_c(*session->get(), *stop, tid, innermost);
}

std::optional<NativeStack> native_stack(Sessions& sessions, lldb::SBProcess process,
                                        std::uint64_t tid) {
  auto session = sessions.try_use(process);
  if (!session) return std::nullopt;
  const auto stop = (*session)->stop();
  if (!stop || !(*session)->debuggee().has_registers(tid)) return std::nullopt;
  auto found = (*session)->take_walked(**stop, tid);
  if (!found) found = walk_taken(**stop, (*session)->debuggee(), tid);
  if (!found) return std::nullopt;
  const CollectedStack& collected = *found;
  if (!passes_through_go(collected.walk)) return std::nullopt;
  NativeStack native;
  native.stop = *stop;
  native.complete = collected.walk.complete();
  std::vector<std::size_t> native_index(collected.walk.elements.size(), SIZE_MAX);
  for (std::size_t i = 0; i < collected.walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&collected.walk.elements[i]);
    if (frame == nullptr) continue;
    native_index[i] = native.physical.size();
    native.physical.push_back({frame->pc.address, frame->cfa});
  }
  std::size_t call = 0;
  for (const StackElement& element : collected.stack.elements) {
    if (const Gap* gap = std::get_if<Gap>(&element)) {
      Frame frame;
      frame.function = native.texts.emplace_back(gap->why);
      native.elements.push_back({call, 0, frame, true});
      continue;
    }
    const Frame& frame = std::get<Frame>(element);
    if (frame.physical >= native_index.size()) continue;
    call = native_index[frame.physical];
    native.elements.push_back({call, 0, frame});
  }
  for (std::size_t i = native.elements.size(); i-- > 1;) {
    NativeStack::Element& inner = native.elements[i - 1];
    const NativeStack::Element& outer = native.elements[i];
    if (inner.frame.tail_call)  // Its pc is its own function's, not that of the call it belongs to.
      inner.from_outermost = inner.frame.inlined ? 1 : 0;
    else if (inner.physical == outer.physical && outer.frame.pc.address && inner.frame.pc.address)
      inner.from_outermost = outer.from_outermost + 1;
  }
  return native;
}

void select_native_frame(lldb::SBThread thread, const CollectedStack& collected,
                         std::size_t element) {
  const auto place = place_of(collected, element);
  if (!place) return;
  each_call(thread, [&](std::size_t call, const std::vector<std::uint32_t>& frames) {
    if (call == place->call && place->from_outermost < frames.size())
      thread.SetSelectedFrame(frames[frames.size() - 1 - place->from_outermost]);
    return call < place->call;
  });
}

std::optional<std::size_t> element_of_native_frame(lldb::SBThread thread,
                                                   const CollectedStack& collected,
                                                   std::uint32_t native) {
  std::optional<Place> wanted;
  each_call(thread, [&](std::size_t call, const std::vector<std::uint32_t>& frames) {
    if (frames.back() >= native) wanted = Place{call, frames.back() - native};
    return !wanted.has_value();
  });
  if (!wanted) return std::nullopt;
  const std::uint64_t pc = thread.GetFrameAtIndex(native).GetPC();
  const auto& elements = collected.stack.elements;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto place = place_of(collected, i);
    if (!place || place->call != wanted->call || place->from_outermost != wanted->from_outermost)
      continue;
    // LLDB's own list may have other frames there than we do.
    const auto& element_pc = std::get<Frame>(elements[i]).pc.address;
    return element_pc.value == pc ? std::optional<std::size_t>(i) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cgo
