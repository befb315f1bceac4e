// The functions that the program calls instead of the C library's. Those on the fast path have two
// parts: one that decides without a frame of its own, and one that records. It is reached by a
// jump, so its caller is the program.
#include "agent/hooks.h"

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "agent/injection.h"
#include "agent/module_list.h"
#include "agent/next_functions.h"
#include "agent/recorder.h"

namespace {

using namespace cgo::agent;

CGO_RECORDED void* recorded_calloc(std::size_t count, std::size_t bytes) {
  void* block = next.calloc(count, bytes);
  if (block != nullptr) record_allocation(block, count * bytes, CGO_CALLER());
  return block;
}

void* out_of_early_buffer(void* block, std::size_t bytes, const Caller& caller) {
  void* fresh = next.malloc(bytes);
  if (fresh == nullptr) return nullptr;
  const std::size_t old = *(static_cast<std::size_t*>(block) - 1);
  std::memcpy(fresh, block, old < bytes ? old : bytes);
  if (!pass_over(bytes)) record_allocation(fresh, bytes, caller);
  return fresh;
}

inline void* reallocate(void* block, std::size_t bytes, const Caller& caller) {
  if (in_early_buffer(block)) return out_of_early_buffer(block, bytes, caller);
  const Detached detached = block != nullptr ? detach(block) : Detached{};
  void* fresh = next.realloc(block, bytes);
  // Of size 0 the C library frees the block and has nothing to give.
  const bool failed = fresh == nullptr && bytes != 0;
  if (block != nullptr && failed) attach_again(block, detached);
  if (block != nullptr && !failed) free_detached(detached, caller);
  if (fresh != nullptr && !pass_over(bytes)) record_allocation(fresh, bytes, caller);
  return fresh;
}

void* noted(void* block, std::size_t bytes, const Caller& caller) {
  if (block != nullptr && !pass_over(bytes)) record_allocation(block, bytes, caller);
  return block;
}

}  // namespace

CGO_HOOK void* malloc(std::size_t bytes) {
  if (pass_over(bytes)) return next.malloc(bytes);
  return recorded_malloc(bytes);
}

CGO_HOOK void free(void* block) {
  if (std::uint32_t* word = record_word(block)) return recorded_free(block, word);
  if (block == nullptr) return;
  unrecorded_free(block);
}

CGO_HOOK void* calloc(std::size_t count, std::size_t bytes) {
  if (pass_over(count * bytes)) return next.calloc(count, bytes);
  return recorded_calloc(count, bytes);
}

CGO_HOOK void* realloc(void* block, std::size_t bytes) {
  return reallocate(block, bytes, CGO_CALLER());
}

CGO_HOOK void* reallocarray(void* block, std::size_t count, std::size_t bytes) {
  std::size_t all;
  if (__builtin_mul_overflow(count, bytes, &all)) {
    errno = ENOMEM;
    return nullptr;
  }
  return reallocate(block, all, CGO_CALLER());
}

CGO_HOOK void* memalign(std::size_t alignment, std::size_t bytes) {
  return noted(next.memalign(alignment, bytes), bytes, CGO_CALLER());
}

CGO_HOOK void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return noted(next.aligned_alloc(alignment, bytes), bytes, CGO_CALLER());
}

CGO_HOOK int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  const int error = next.posix_memalign(block, alignment, bytes);
  if (error == 0) noted(*block, bytes, CGO_CALLER());
  return error;
}

CGO_HOOK void* valloc(std::size_t bytes) { return noted(next.valloc(bytes), bytes, CGO_CALLER()); }

CGO_HOOK void* pvalloc(std::size_t bytes) {
  return noted(next.pvalloc(bytes), bytes, CGO_CALLER());
}

CGO_HOOK std::size_t malloc_usable_size(void* block) { return next.usable_size(block); }

CGO_HOOK int dlclose(void* handle) {
  begin_unload();
  const int result = next.dlclose(handle);
  end_unload();
  return result;
}

CGO_OURS(malloc)
CGO_OURS(free)
CGO_OURS(calloc)
CGO_OURS(realloc)
CGO_OURS(reallocarray)
CGO_OURS(memalign)
CGO_OURS(aligned_alloc)
CGO_OURS(posix_memalign)
CGO_OURS(valloc)
CGO_OURS(pvalloc)
CGO_OURS(malloc_usable_size)
CGO_OURS(dlclose)

constinit Replacement cgo::agent::functions[kFunctions] = {CGO_REPLACEMENT(malloc),
                                                           CGO_REPLACEMENT(free),
                                                           CGO_REPLACEMENT(calloc),
                                                           CGO_REPLACEMENT(realloc),
                                                           CGO_REPLACEMENT(reallocarray),
                                                           CGO_REPLACEMENT(memalign),
                                                           CGO_REPLACEMENT(aligned_alloc),
                                                           CGO_REPLACEMENT(posix_memalign),
                                                           CGO_REPLACEMENT(valloc),
                                                           CGO_REPLACEMENT(pvalloc),
                                                           CGO_REPLACEMENT(malloc_usable_size),
                                                           CGO_REPLACEMENT(dlclose)};
