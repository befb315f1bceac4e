#include "agent/next_functions.h"

#include <dlfcn.h>

#include <cstring>

namespace cgo::agent {

alignas(4096) char early_buffer[kEarlyBytes];

namespace {

std::size_t early_used;
bool finding;

/// Each block follows a word with its size.
void* early_memory(std::size_t bytes, std::size_t alignment) {
  if (alignment < 16) alignment = 16;
  if (bytes > kEarlyBytes || alignment > 4096) return nullptr;
  std::size_t at = __atomic_load_n(&early_used, __ATOMIC_RELAXED), begin;
  do {
    begin = (at + sizeof(std::size_t) + alignment - 1) & ~(alignment - 1);
    if (begin + bytes > kEarlyBytes) return nullptr;
  } while (!__atomic_compare_exchange_n(&early_used, &at, begin + bytes, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
  std::memcpy(early_buffer + begin - sizeof(std::size_t), &bytes, sizeof(bytes));
  return early_buffer + begin;
}

template <class Function>
Function found(const char* name, Function fallback) {
  void* at = dlsym(RTLD_NEXT, name);
  return at != nullptr ? reinterpret_cast<Function>(at) : fallback;
}

/// Whether this call has to be served from the buffer.
bool must_serve() {
  if (__atomic_load_n(&finding, __ATOMIC_ACQUIRE)) return true;
  find_next_functions();
  return false;
}

void* early_malloc(std::size_t bytes) {
  return must_serve() ? early_memory(bytes, 16) : next.malloc(bytes);
}
void early_free(void* at) {
  if (!must_serve()) next.free(at);
}
void* early_calloc(std::size_t count, std::size_t bytes) {
  if (!must_serve()) return next.calloc(count, bytes);
  std::size_t all;
  return __builtin_mul_overflow(count, bytes, &all) ? nullptr : early_memory(all, 16);
}
void* early_realloc(void* at, std::size_t bytes) {
  if (!must_serve()) return next.realloc(at, bytes);
  void* fresh = early_memory(bytes, 16);
  if (fresh == nullptr || at == nullptr) return fresh;
  std::size_t old;
  std::memcpy(&old, static_cast<char*>(at) - sizeof(old), sizeof(old));
  std::memcpy(fresh, at, old < bytes ? old : bytes);
  return fresh;
}
void* early_memalign(std::size_t alignment, std::size_t bytes) {
  return must_serve() ? early_memory(bytes, alignment) : next.memalign(alignment, bytes);
}
void* early_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return must_serve() ? early_memory(bytes, alignment) : next.aligned_alloc(alignment, bytes);
}
int early_posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
  constexpr int kNoMemory = 12;
  if (!must_serve()) return next.posix_memalign(out, alignment, bytes);
  void* at = early_memory(bytes, alignment);
  if (at == nullptr) return kNoMemory;
  *out = at;
  return 0;
}
void* early_valloc(std::size_t bytes) {
  return must_serve() ? early_memory(bytes, 4096) : next.valloc(bytes);
}
void* early_pvalloc(std::size_t bytes) {
  return must_serve() ? early_memory((bytes + 4095) & ~std::size_t{4095}, 4096)
                      : next.pvalloc(bytes);
}
std::size_t early_usable_size(void* at) {
  if (!must_serve()) return next.usable_size(at);
  std::size_t bytes = 0;
  if (at != nullptr) std::memcpy(&bytes, static_cast<char*>(at) - sizeof(bytes), sizeof(bytes));
  return bytes;
}
int early_dlclose(void* handle) { return must_serve() ? 0 : next.dlclose(handle); }

constexpr NextFunctions kEarly{.malloc = early_malloc,
                               .free = early_free,
                               .calloc = early_calloc,
                               .realloc = early_realloc,
                               .memalign = early_memalign,
                               .aligned_alloc = early_aligned_alloc,
                               .posix_memalign = early_posix_memalign,
                               .valloc = early_valloc,
                               .pvalloc = early_pvalloc,
                               .usable_size = early_usable_size,
                               .dlclose = early_dlclose};

}  // namespace

constinit NextFunctions next = kEarly;

void find_next_functions() {
  if (next.malloc != kEarly.malloc || __atomic_exchange_n(&finding, true, __ATOMIC_ACQ_REL)) return;
  NextFunctions all = kEarly;
  all.free = found("free", kEarly.free);
  all.calloc = found("calloc", kEarly.calloc);
  all.realloc = found("realloc", kEarly.realloc);
  all.memalign = found("memalign", kEarly.memalign);
  all.aligned_alloc = found("aligned_alloc", kEarly.aligned_alloc);
  all.posix_memalign = found("posix_memalign", kEarly.posix_memalign);
  all.valloc = found("valloc", kEarly.valloc);
  all.pvalloc = found("pvalloc", kEarly.pvalloc);
  all.usable_size = found("malloc_usable_size", kEarly.usable_size);
  all.dlclose = found("dlclose", kEarly.dlclose);
  all.malloc = found("malloc", kEarly.malloc);
  next = all;
  // The rest stays true for functions that were not found: they are served from the buffer.
}

}  // namespace cgo::agent
