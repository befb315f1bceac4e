#include "stops/held_mutexes.h"

#include <algorithm>

#include "stops/memory_sweep.h"

namespace cgo {
namespace {

// struct __pthread_mutex_s.
constexpr std::size_t kLock = 0, kCount = 4, kOwner = 8, kUsers = 12, kKind = 16, kSpins = 20,
                      kElision = 22, kPrevious = 24, kNext = 32;
// __kind. Source: nptl/pthreadP.h.
constexpr std::uint32_t kType = 3, kRecursive = 1, kAdaptive = 3, kRobust = 16, kInherits = 32,
                        kProtects = 64, kKnownKinds = 0x3ff;
constexpr std::uint32_t kWaiters = 0x80000000, kOwnerDied = 0x40000000, kCeilingShift = 19;
constexpr std::uint32_t kMostTimes = 1'000'000, kMostUsers = 100'000;
constexpr int kMostElision = 1'000;
constexpr std::size_t kMostFound = 1'000;

/// What the lock word says, of a kind: nothing where this thread cannot have it.
std::optional<bool> waited_for(std::uint32_t lock, std::uint32_t kind, std::uint32_t tid) {
  if ((kind & (kRobust | kInherits)) != 0) {
    if ((lock & ~(kWaiters | kOwnerDied)) != tid) return std::nullopt;
    return (lock & kWaiters) != 0;
  }
  if ((kind & kProtects) != 0) lock &= (1u << kCeilingShift) - 1;
  if (lock != 1 && lock != 2) return std::nullopt;
  return lock == 2;
}

}  // namespace

std::optional<HeldMutex> mutex_held_by(ByteView bytes, std::uint64_t tid) {
  const auto word = [&](std::size_t at) { return load<std::uint32_t>(bytes, at).value_or(0); };
  if (bytes.size() < kMutexBytes || tid == 0 || word(kOwner) != tid) return std::nullopt;
  const std::uint32_t kind = word(kKind), type = kind & kType, count = word(kCount);
  const bool special = (kind & (kRobust | kInherits | kProtects)) != 0;
  if ((kind & ~kKnownKinds) != 0) return std::nullopt;
  const auto waited = waited_for(word(kLock), kind, static_cast<std::uint32_t>(tid));
  if (!waited) return std::nullopt;
  if (type == kRecursive ? count == 0 || count > kMostTimes : count > (special ? 1u : 0u))
    return std::nullopt;
  if (word(kUsers) == 0 || word(kUsers) > kMostUsers) return std::nullopt;
  const auto spins = load<std::int16_t>(bytes, kSpins).value_or(-1);
  const auto elision = load<std::int16_t>(bytes, kElision).value_or(-1);
  if (spins < 0 || (type != kAdaptive && spins != 0) || std::abs(elision) > kMostElision)
    return std::nullopt;
  const auto links = [&](std::size_t at) { return load<std::uint64_t>(bytes, at).value_or(1); };
  const bool linked = links(kPrevious) != 0 || links(kNext) != 0;
  if (linked && (kind & kRobust) == 0) return std::nullopt;
  return HeldMutex{.times = type == kRecursive ? count : 1, .waited_for = *waited};
}

MutexSearch find_held_mutexes(const MemoryReader& memory, std::span<const AddressRange> ranges,
                              std::uint64_t tid, std::uint64_t most_bytes) {
  MutexSearch out;
  const SweepResult swept =
      sweep_memory(memory, ranges, {.overlap = kMutexBytes - 8, .most_bytes = most_bytes},
                   [&](Address at, ByteView bytes) {
                     for (std::size_t i = 0; i + kMutexBytes <= bytes.size(); i += 8) {
                       if (*load<std::uint32_t>(bytes, i + kOwner) != tid) continue;
                       auto found = mutex_held_by(bytes.subspan(i, kMutexBytes), tid);
                       if (!found || out.found.size() == kMostFound) continue;
                       found->address = wrapping_add(at, i);
                       out.found.push_back(*found);
                     }
                   });
  out.searched_bytes = swept.bytes;
  out.unread_bytes = swept.unread_bytes;
  out.cut = swept.cut || out.found.size() == kMostFound;
  std::ranges::sort(out.found, {}, &HeldMutex::address);
  return out;
}

}  // namespace cgo
