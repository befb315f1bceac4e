#include "crossings/crossing_tracker.h"

#include <algorithm>
#include <iterator>

namespace cgo {
namespace {

/// cgocall counts each call: two arrivals with one number are one call, also where a stub has
/// jumped into another one with the same code.
bool same_call(const Arrival& a, const Arrival& b) {
  return a.m == b.m && a.calls == b.calls && (a.m || (a.crossing == b.crossing && a.sp == b.sp));
}

bool same_arrival(const Arrival& a, const Arrival& b) {
  return a.crossing == b.crossing && a.sp == b.sp && a.m == b.m && a.calls == b.calls;
}

}  // namespace

std::vector<OpenCrossing> CrossingTracker::abandon_from(Thread& thread, std::size_t first) {
  if (first >= thread.open.size()) return {};
  const auto begin = thread.open.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<OpenCrossing> out(std::make_move_iterator(begin),
                                std::make_move_iterator(thread.open.end()));
  thread.open.erase(begin, thread.open.end());
  abandoned_ += out.size();
  return out;
}

CrossingTracker::Event CrossingTracker::begin(Thread& thread, std::size_t kept,
                                              const Arrival& arrival, bool from_go) {
  Event event{.what = What::entered, .abandoned = abandon_from(thread, kept)};
  event.crossing = {.number = ++entered_, .entered = arrival, .from_go = from_go};
  thread.open.push_back(event.crossing);
  return event;
}

CrossingTracker::Event CrossingTracker::enter_c(const Arrival& arrival) {
  Thread& thread = threads_[arrival.tid];
  if (thread.last_entered && same_call(*thread.last_entered, arrival)) return {};
  thread.last_entered = arrival;
  // Calls that are in progress count up by one with each: one that is as deep, or deeper, has been
  // left by other ways. A callback is within the call that is one less deep. Each runtime of
  // several counts by itself.
  const auto left = std::ranges::find_if(thread.open, [&](const OpenCrossing& one) {
    return one.entered.m == arrival.m && one.entered.depth >= arrival.depth;
  });
  return begin(thread, static_cast<std::size_t>(left - thread.open.begin()), arrival, true);
}

CrossingTracker::Event CrossingTracker::enter_go(const Arrival& arrival) {
  Thread& thread = threads_[arrival.tid];
  const auto left = std::ranges::find_if(thread.open, [&](const OpenCrossing& one) {
    if (one.entered.m != arrival.m) return false;
    return one.entered.depth > arrival.depth ||
           (!one.from_go && one.entered.depth == arrival.depth);
  });
  // Not left, but arrived at once more: nothing was called from it.
  if (left != thread.open.end() && same_arrival(left->entered, arrival)) return {};
  return begin(thread, static_cast<std::size_t>(left - thread.open.begin()), arrival, false);
}

CrossingTracker::Event CrossingTracker::leave(const Arrival& arrival) {
  Thread& thread = threads_[arrival.tid];
  const auto found =
      std::ranges::find_if(thread.open.rbegin(), thread.open.rend(),
                           [&](const OpenCrossing& one) { return one.entered.sp == arrival.sp; });
  if (found == thread.open.rend()) {
    const bool again = thread.last_left && same_arrival(*thread.last_left, arrival);
    return {.what = again ? What::again : What::unseen_entry};
  }
  const std::size_t index = static_cast<std::size_t>(thread.open.rend() - found) - 1;
  Event event{.what = What::returned, .crossing = thread.open[index]};
  event.abandoned = abandon_from(thread, index + 1);
  thread.open.pop_back();
  thread.last_left = arrival;
  ++returned_;
  while (!thread.open.empty() && thread.open.back().entered.sp == arrival.sp) {
    event.returned_too.push_back(std::move(thread.open.back()));
    thread.open.pop_back();
    ++returned_;
  }
  return event;
}

std::vector<OpenCrossing> CrossingTracker::seen_at(std::uint64_t tid, Address m,
                                                   std::int32_t depth) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return {};
  const auto& open = found->second.open;
  const auto deeper = std::ranges::find_if(open, [&](const OpenCrossing& one) {
    return one.entered.m == m && one.entered.depth > depth;
  });
  return abandon_from(found->second, static_cast<std::size_t>(deeper - open.begin()));
}

std::vector<OpenCrossing> CrossingTracker::end_thread(std::uint64_t tid) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return {};
  auto out = abandon_from(found->second, 0);
  threads_.erase(found);
  return out;
}

std::vector<OpenCrossing> CrossingTracker::open() const {
  std::vector<OpenCrossing> out;
  for (const auto& [tid, thread] : threads_)
    out.insert(out.end(), thread.open.begin(), thread.open.end());
  return out;
}

bool CrossingTracker::has_open(std::uint64_t tid) const {
  const auto found = threads_.find(tid);
  return found != threads_.end() && !found->second.open.empty();
}

std::vector<std::uint64_t> CrossingTracker::threads() const {
  std::vector<std::uint64_t> out;
  for (const auto& [tid, thread] : threads_) out.push_back(tid);
  return out;
}

}  // namespace cgo
