#pragma once
// The functions that would serve the program if the agent were not there.

#include <cstddef>
#include <cstdint>

namespace cgo::agent {

/// Each is callable at any time: before they are known, the first call finds them.
struct NextFunctions {
  void* (*malloc)(std::size_t);
  void (*free)(void*);
  void* (*calloc)(std::size_t, std::size_t);
  void* (*realloc)(void*, std::size_t);
  void* (*memalign)(std::size_t, std::size_t);
  void* (*aligned_alloc)(std::size_t, std::size_t);
  int (*posix_memalign)(void**, std::size_t, std::size_t);
  void* (*valloc)(std::size_t);
  void* (*pvalloc)(std::size_t);
  std::size_t (*usable_size)(void*);
  int (*dlclose)(void*);
};
extern NextFunctions next;

/// Finds them; what is allocated meanwhile comes from a buffer of the agent's own.
void find_next_functions();
inline constexpr std::size_t kEarlyBytes = 64 * 1024;
extern char early_buffer[kEarlyBytes];
/// Whether `address` is in that buffer: such memory is never given back.
inline bool in_early_buffer(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) -
             reinterpret_cast<std::uintptr_t>(early_buffer) <
         kEarlyBytes;
}
inline void give_to_next(void* block) {
  if (!in_early_buffer(block)) next.free(block);
}

}  // namespace cgo::agent
