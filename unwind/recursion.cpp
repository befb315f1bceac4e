#include "unwind/recursion.h"

#include <algorithm>

namespace cgo {

void RecursionMeter::add(Address pc) {
  const std::size_t number = found_.frames++;
  const std::size_t known = std::min(kLongestPeriod, number - begin_);
  for (std::size_t period = 1; period <= known; ++period) {
    const bool repeats = last_[(number - period) % kLongestPeriod] == pc;
    matching_[period] = repeats ? matching_[period] + 1 : 0;
    if (repeats) keep_if_longest(period);
  }
  last_[number % kLongestPeriod] = pc;
  if (number >= kCountedFrom) count(pc, 1);
}

/// A run of a period is one of its multiples too, as many frames long: the smallest comes first.
void RecursionMeter::keep_if_longest(std::size_t period) {
  const std::size_t frames = matching_[period] + period;
  if (frames <= longest_ || frames / period < kFewestRounds) return;
  longest_ = frames;
  found_.first = found_.frames - frames;
  found_.period = period;
  found_.rounds = frames / period;
}

void RecursionMeter::count(Address pc, std::size_t times) {
  const auto known = found_.by_pc.find(pc);
  if (known != found_.by_pc.end())
    known->second += times;
  else if (found_.by_pc.size() < kMostPcs)
    found_.by_pc.emplace(pc, times);
}

void RecursionMeter::append(const RecursionMeter& other) {
  const Recursion& more = other.found_;
  if (other.longest_ > longest_) {
    longest_ = other.longest_;
    found_.first = found_.frames + more.first;
    found_.period = more.period;
    found_.rounds = more.rounds;
  }
  for (const auto& [pc, times] : more.by_pc) count(pc, times);
  found_.frames += more.frames;
  begin_ = found_.frames;
  matching_.fill(0);
}

}  // namespace cgo
