#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "target/address.h"
#include "target/byte_view.h"
#include "target/memory_reader.h"

namespace cgo {

/// A pthread mutex of glibc (also std::mutex of C++) that a thread has locked.
struct HeldMutex {
  Address address;
  std::uint32_t times = 1;  ///< A recursive one can be locked several times.
  bool waited_for = false;  ///< Another thread waits for it.
};

inline constexpr std::uint64_t kMutexBytes = 40;

/// The mutex in `bytes`, if all of its fields can be those of one that thread `tid` has locked.
/// Source: sysdeps/nptl/bits/struct_mutex.h of x86-64, nptl/pthreadP.h, pthread_mutex_lock.c
/// (glibc 2.31 to 2.41).
std::optional<HeldMutex> mutex_held_by(ByteView bytes, std::uint64_t tid);

/// What a search saw.
struct MutexSearch {
  std::vector<HeldMutex> found;  ///< By address.
  std::uint64_t searched_bytes = 0, unread_bytes = 0;
  bool cut = false;  ///< There was more memory than is searched.
};

/// All that `tid` has locked in `ranges`, of which `most_bytes` are searched.
MutexSearch find_held_mutexes(const MemoryReader& memory, std::span<const AddressRange> ranges,
                              std::uint64_t tid, std::uint64_t most_bytes);

}  // namespace cgo
