#include "lldb-plugin/kept_panics.h"

#include <algorithm>

namespace cgo {
namespace {

bool has_gap(const Walk& walk) {
  return std::ranges::any_of(walk.elements,
                             [](const auto& one) { return std::holds_alternative<Gap>(one); });
}

/// How far in from the end of the goroutine's stack the panic began.
std::uint64_t depth_of(const KeptWalk& kept) {
  const auto* frame = kept.walk.elements.empty()
                          ? nullptr
                          : std::get_if<PhysicalFrame>(&kept.walk.elements.front());
  return frame == nullptr ? 0 : kept.stack.end.value - frame->cfa.value;
}

}  // namespace

void KeptPanics::keep(KeptWalk walk, std::function<bool()> watches) {
  const std::lock_guard lock(mutex_);
  // What was there or further in is over.
  std::erase_if(kept_, [&](const Kept& one) {
    return one.walk.g == walk.g &&
           (one.walk.goroutine != walk.goroutine || depth_of(one.walk) >= depth_of(walk));
  });
  if (walk.walk.elements.size() > kMostFrames || has_gap(walk.walk)) return;
  kept_.push_front({std::move(walk), std::move(watches)});
  if (kept_.size() > kMostPanics) kept_.pop_back();
}

void KeptPanics::fill(Walk& walk, const Goroutine& goroutine, const GoRuntime& runtime) const {
  const std::lock_guard lock(mutex_);
  if (kept_.empty() || !has_gap(walk)) return;
  for (const Kept& one : kept_)
    if (one.walk.g == goroutine.address && one.walk.goroutine == goroutine.id && one.watches() &&
        fill_gaps(walk, one.walk, goroutine.stack,
                  [&](Address pc) { return runtime.function_at(pc); }))
      return;
}

}  // namespace cgo
