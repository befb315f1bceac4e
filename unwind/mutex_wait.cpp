#include "unwind/mutex_wait.h"

#include <algorithm>

namespace cgo {
namespace {

constexpr unsigned kRsi = 4, kRdi = 5;  // DWARF numbers.
constexpr std::size_t kFramesOfGlibc = 4;
// struct __pthread_mutex_s: int __lock; unsigned __count; int __owner; unsigned __nusers; int
// __kind
constexpr std::uint64_t kOwner = 8, kKind = 16, kMutexBytes = 40;
// Types, robust, priority inheritance and protection, shared, elision and none of it.
// Source: nptl/pthreadP.h.
constexpr std::uint32_t kKnownKinds = 0x3ff;

bool after_system_call(const MemoryReader& memory, Address pc) {
  const auto code = read_bytes(memory, {pc.value - 2}, 2);
  return code && (*code)[0] == std::byte{0x0f} && (*code)[1] == std::byte{0x05};
}

/// Whether the arguments of the system call say that it waits for a futex.
/// Source: include/uapi/linux/futex.h.
bool waits_for_futex(const Registers& registers) {
  constexpr std::uint64_t kPrivate = 128, kRealtime = 256;
  const auto operation = registers.get(kRsi);
  if (!operation) return false;
  switch (*operation & 0xffffffff & ~(kPrivate | kRealtime)) {
    case 0:   // FUTEX_WAIT
    case 6:   // FUTEX_LOCK_PI
    case 9:   // FUTEX_WAIT_BITSET
    case 13:  // FUTEX_LOCK_PI2
      return true;
    default:
      return false;
  }
}

/// Whether this is one of glibc's own functions that lock a mutex, by any of its names.
std::optional<std::string_view> lock_function(std::string_view name) {
  while (name.starts_with('_')) name.remove_prefix(1);
  if (name.starts_with("GI_")) name.remove_prefix(3);
  while (name.starts_with('_')) name.remove_prefix(1);
  constexpr std::string_view kNames[] = {"pthread_mutex_lock",
                                         "pthread_mutex_lock_full",
                                         "pthread_mutex_cond_lock",
                                         "pthread_mutex_cond_lock_full",
                                         "pthread_mutex_timedlock",
                                         "pthread_mutex_clocklock",
                                         "pthread_mutex_clocklock_common"};
  const auto found = std::ranges::find(kNames, name);
  return found == std::end(kNames) ? std::nullopt : std::optional(*found);
}

/// The frames from the system call to glibc's lock function are all of one module: a function of
/// the program that has such a name, or calls something else that blocks, is none of them.
std::optional<std::string_view> lock_function_of(const Stack& stack) {
  std::size_t seen = 0;
  std::string_view module;
  for (const StackElement& element : stack.elements) {
    const Frame* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->language == Language::go || seen++ == kFramesOfGlibc)
      return std::nullopt;
    if (module.empty()) module = frame->module;
    if (frame->module != module) return std::nullopt;
    if (const auto found = lock_function(frame->function)) return found;
  }
  return std::nullopt;
}

/// The registers of a thread that waits for a futex; null for any other.
const Registers* at_futex_wait(const MemoryReader& memory, const Walk& walk) {
  if (walk.elements.empty()) return nullptr;
  const auto* leaf = std::get_if<PhysicalFrame>(&walk.elements.front());
  if (leaf == nullptr || !after_system_call(memory, leaf->registers.pc())) return nullptr;
  return waits_for_futex(leaf->registers) ? &leaf->registers : nullptr;
}

}  // namespace

std::optional<MutexWait> mutex_wait(const MemoryReader& memory, const Walk& walk,
                                    const Stack& stack) {
  const Registers* registers = at_futex_wait(memory, walk);
  const auto function = lock_function_of(stack);
  if (registers == nullptr || !function) return std::nullopt;
  const auto futex = registers->get(kRdi);
  if (!futex || *futex % 8 != 0) return std::nullopt;
  const auto bytes = read_bytes(memory, {*futex}, kMutexBytes);
  if (!bytes) return std::nullopt;
  const auto lock = read_unsigned<std::uint32_t>(memory, {*futex});
  const auto owner = read_unsigned<std::uint32_t>(memory, {*futex + kOwner});
  const auto kind = read_unsigned<std::uint32_t>(memory, {*futex + kKind});
  if (!lock || *lock == 0 || !owner || !kind || (*kind & ~kKnownKinds) != 0) return std::nullopt;
  const bool timed =
      function->find("timed") != function->npos || function->find("clock") != function->npos;
  return MutexWait{{*futex}, *owner, timed};
}

bool waits_for_unknown_futex(const MemoryReader& memory, const Walk& walk, const Stack& stack) {
  if (at_futex_wait(memory, walk) == nullptr) return false;
  std::size_t seen = 0;
  for (const StackElement& element : stack.elements) {
    const Frame* frame = std::get_if<Frame>(&element);
    // asmcgocall, where C was called from, has a name in every program.
    if (frame == nullptr || frame->language == Language::go || frame->plumbing) break;
    if (!frame->function.empty()) return false;
    if (++seen == kFramesOfGlibc) break;
  }
  return seen != 0;
}

}  // namespace cgo
