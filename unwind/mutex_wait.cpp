#include "unwind/mutex_wait.h"

#include <algorithm>

namespace cgo {
namespace {

constexpr unsigned kRdi = 5;  // DWARF number.
constexpr std::size_t kFramesOfGlibc = 4;
// struct __pthread_mutex_s: int __lock; unsigned __count; int __owner; unsigned __nusers; int
// __kind
constexpr std::uint64_t kOwner = 8, kKind = 16, kMutexBytes = 40;
constexpr std::uint32_t kKnownKinds = 0x1ff;  // Types, robustness, protocols; elision.

bool after_system_call(const MemoryReader& memory, Address pc) {
  const auto code = read_bytes(memory, {pc.value - 2}, 2);
  return code && (*code)[0] == std::byte{0x0f} && (*code)[1] == std::byte{0x05};
}

bool locks_a_mutex(const Stack& stack) {
  std::size_t seen = 0;
  for (const StackElement& element : stack.elements) {
    const Frame* frame = std::get_if<Frame>(&element);
    if (frame == nullptr || frame->language == Language::go || seen++ == kFramesOfGlibc)
      return false;
    const std::string_view name = frame->function;
    if (name.find("pthread_mutex_") != name.npos && name.find("lock") != name.npos) return true;
  }
  return false;
}

}  // namespace

std::optional<MutexWait> mutex_wait(const MemoryReader& memory, const Walk& walk,
                                    const Stack& stack) {
  if (walk.elements.empty() || !locks_a_mutex(stack)) return std::nullopt;
  const auto* leaf = std::get_if<PhysicalFrame>(&walk.elements.front());
  if (leaf == nullptr || !after_system_call(memory, leaf->registers.pc())) return std::nullopt;
  const auto futex = leaf->registers.get(kRdi);
  if (!futex || *futex % 8 != 0) return std::nullopt;
  const auto bytes = read_bytes(memory, {*futex}, kMutexBytes);
  if (!bytes) return std::nullopt;
  const auto lock = read_unsigned<std::uint32_t>(memory, {*futex});
  const auto owner = read_unsigned<std::uint32_t>(memory, {*futex + kOwner});
  const auto kind = read_unsigned<std::uint32_t>(memory, {*futex + kKind});
  if (!lock || *lock == 0 || !owner || !kind || (*kind & ~kKnownKinds) != 0) return std::nullopt;
  return MutexWait{{*futex}, *owner};
}

}  // namespace cgo
