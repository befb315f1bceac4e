#include "stops/recursion_report.h"

#include <algorithm>
#include <map>

namespace cgo {
namespace {

/// The index into Walk::elements of the frame with this number from the innermost; nothing where it
/// may have been left out of the middle.
std::optional<std::size_t> element_of(const Walk& walk, std::size_t number) {
  std::size_t kept = 0, found = walk.elements.size();
  for (std::size_t i = 0; i < walk.elements.size(); ++i) {
    if (!std::holds_alternative<PhysicalFrame>(walk.elements[i])) continue;
    if (kept++ == number) found = i;
  }
  const bool whole = kept == walk.recursion.frames;
  if (found == walk.elements.size() || (!whole && found >= WalkLimit{}.innermost))
    return std::nullopt;
  return found;
}

/// Whether there were more frames than those that were walked: gaps but for the one that a limit
/// made.
bool is_cut(const Walk& walk) {
  std::size_t kept = 0;
  for (const auto& element : walk.elements) kept += std::holds_alternative<PhysicalFrame>(element);
  const std::size_t gaps = walk.elements.size() - kept;
  return !walk.complete() || gaps > (kept < walk.recursion.frames ? 1 : 0);
}

void add_round(RecursionReport& report, const Walk& walk, const Stack& stack) {
  const auto first = element_of(walk, walk.recursion.first);
  const auto last = element_of(walk, walk.recursion.first + walk.recursion.period - 1);
  if (!first || !last) return;
  std::size_t number = 0;
  bool any = false;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame == nullptr) continue;
    if (frame->physical >= *first && frame->physical <= *last) {
      if (!any) report.first = number;
      any = true;
      report.last = number;
      if (!frame->plumbing) report.round.push_back(frame);
    }
    ++number;
  }
  if (any) report.rounds = walk.recursion.rounds;
}

/// The name of the function, not of what was inlined into it, by pc.
std::map<Address, std::string_view> functions_by_pc(const Stack& stack) {
  std::map<Address, std::string_view> names;
  for (const StackElement& element : stack.elements) {
    const auto* frame = std::get_if<Frame>(&element);
    if (frame != nullptr && !frame->inlined && !frame->tail_call && !frame->function.empty())
      names.emplace(frame->pc.address, frame->function);
  }
  return names;
}

void add_shares(RecursionReport& report, const Walk& walk, const Stack& stack) {
  constexpr std::size_t kMost = 4, kFewestFrames = 100, kLeastPart = 10;  // A tenth.
  const auto names = functions_by_pc(stack);
  std::map<std::string_view, std::size_t> counts;
  for (const auto& [pc, times] : walk.recursion.by_pc)
    if (const auto name = names.find(pc); name != names.end()) counts[name->second] += times;
  for (const auto& [function, frames] : counts)
    if (frames >= kFewestFrames && frames * kLeastPart >= walk.recursion.frames)
      report.shares.push_back({function, frames});
  std::ranges::stable_sort(report.shares,
                           [](const auto& a, const auto& b) { return a.frames > b.frames; });
  if (report.shares.size() > kMost) report.shares.resize(kMost);
}

}  // namespace

std::optional<RecursionReport> recursion_in(const Walk& walk, const Stack& stack) {
  const Recursion& found = walk.recursion;
  RecursionReport report{.frames = found.frames, .at_least = is_cut(walk)};
  // Half of them: else what else there is counts more.
  if (found.rounds * found.period * 2 >= found.frames && found.rounds > 0)
    add_round(report, walk, stack);
  if (report.rounds == 0) add_shares(report, walk, stack);
  if (report.rounds == 0 && report.shares.empty()) return std::nullopt;
  return report;
}

std::optional<LargeFrame> large_frame_in(const Walk& walk, AddressRange range) {
  constexpr std::uint64_t kLeastPart = 64;
  LargeFrame largest;
  for (std::size_t i = 0; i < walk.elements.size(); ++i) {
    const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
    if (frame == nullptr || frame->cfa <= range.begin || frame->cfa > range.end) continue;
    const Address sp = frame->registers.sp();
    if (sp >= frame->cfa || frame->crossing == Crossing::signal) continue;
    const std::uint64_t bytes = frame->cfa.value - sp.value;
    if (bytes > largest.bytes) largest = {i, bytes};
  }
  if (largest.bytes < range.bytes() / kLeastPart) return std::nullopt;
  return largest;
}

}  // namespace cgo
