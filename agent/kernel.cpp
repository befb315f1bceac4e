#include "agent/kernel.h"

#include <sys/mman.h>
#include <sys/syscall.h>

namespace cgo::agent {
namespace {

long system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

void* map(std::size_t bytes, long protection) {
  const long at = system_call(SYS_mmap, 0, static_cast<long>(bytes), protection,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at < 0 && at > -4096 ? nullptr : reinterpret_cast<void*>(at);
}

void advise(std::uint64_t address, std::size_t bytes, long advice) {
  system_call(SYS_madvise, static_cast<long>(address), static_cast<long>(bytes), advice);
}

}  // namespace

void* reserve_pages(std::size_t bytes) {
  void* at = map(bytes, PROT_NONE);
  // gdb's gcore would write all of it.
  if (at != nullptr) advise(reinterpret_cast<std::uint64_t>(at), bytes, MADV_DONTDUMP);
  return at;
}

bool commit_pages(std::uint64_t address, std::size_t bytes) {
  if (system_call(SYS_mprotect, static_cast<long>(address), static_cast<long>(bytes),
                  PROT_READ | PROT_WRITE) != 0)
    return false;
  advise(address, bytes, MADV_DODUMP);
  return true;
}

void* private_pages(std::size_t bytes) {
  void* at = map(bytes, PROT_READ | PROT_WRITE);
  if (at == nullptr) return nullptr;
  // Huge pages would make a sparse table as large as it could become.
  advise(reinterpret_cast<std::uint64_t>(at), bytes, MADV_NOHUGEPAGE);
  advise(reinterpret_cast<std::uint64_t>(at), bytes, MADV_DONTDUMP);
  return at;
}

void release_pages(void* address, std::size_t bytes) {
  system_call(SYS_munmap, reinterpret_cast<long>(address), static_cast<long>(bytes));
}

bool readable(std::uint64_t address) {
  // The kernel copies the set before it looks at `how`, which is none: EINVAL then, else EFAULT.
  constexpr long kNoSuchHow = ~0l, kFault = -14;
  const long result = system_call(SYS_rt_sigprocmask, kNoSuchHow, static_cast<long>(address), 0, 8);
  return result != kFault;
}

bool writable(std::uint64_t address) {
  // Adds 0 in one step, and wakes nobody: nobody waits for a word of ours. EFAULT: not writable.
  static std::uint32_t nobody_waits;
  constexpr long kWakeOpPrivate = 5 | 128, kAddZero = 1l << 28, kFault = -14;
  return system_call(SYS_futex, reinterpret_cast<long>(&nobody_waits), kWakeOpPrivate, 0, 0,
                     static_cast<long>(address), kAddZero) != kFault;
}

bool protect_pages(std::uint64_t address, std::size_t bytes, bool writable) {
  return system_call(SYS_mprotect, static_cast<long>(address), static_cast<long>(bytes),
                     writable ? PROT_READ | PROT_WRITE : PROT_READ) == 0;
}

std::uint32_t thread_id() { return static_cast<std::uint32_t>(system_call(SYS_gettid)); }
std::uint32_t process_id() { return static_cast<std::uint32_t>(system_call(SYS_getpid)); }

}  // namespace cgo::agent
