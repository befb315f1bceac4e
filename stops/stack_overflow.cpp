#include "stops/stack_overflow.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <vector>

#include "heap/thread_areas.h"

namespace cgo {
namespace {

/// Below the stack pointer code that calls nothing uses 128 bytes, and a call or push writes 8.
/// Source: System V ABI for amd64, 3.2.2.
constexpr std::uint64_t kBelowStackPointer = 128 + 8, kWord = 8;
constexpr std::uint64_t kPage = 4096;
/// What a guard below a stack that nobody noted can be: larger ones are kept for other things.
constexpr std::uint64_t kLargestGuard = 16 << 20;

/// Where the frame that faulted began: its caller's stack pointer.
struct Anchor {
  Address last;      ///< The last byte of the frame.
  bool from_caller;  ///< By an unwind rule, and not by the stack pointer itself.
};

Anchor anchor_of(const PhysicalFrame& frame) {
  if (frame.cfa.value > kWord) return {{frame.cfa.value - 1}, true};
  return {frame.registers.sp(), false};
}

AddressRange inaccessible_below(const MappingList& mappings, Address begin) {
  if (begin.value == 0) return {};
  const Mapping* below = mappings.find({begin.value - 1});
  if (below == nullptr || below->readable || below->writable || below->executable) return {};
  const std::uint64_t bytes = begin.value - below->range.begin.value;
  if (bytes > kLargestGuard) return {{begin.value - kPage}, begin};
  return {below->range.begin, begin};
}

/// Finds the stack that a fault belongs to.
class StackFinder {
 public:
  StackFinder(const Debuggee& debuggee, std::uint64_t tid) : debuggee_(debuggee), tid_(tid) {}

  std::optional<CStack> of(const Walk& walk, const Fault& fault) const {
    const auto& frame = std::get<PhysicalFrame>(walk.elements[fault.frame]);
    const Anchor anchor = anchor_of(frame);
    auto found = with_bounds(anchor, fault);
    if (!found && on_stack_of_another(anchor)) found = left_by_callers(walk, fault);
    // Go's own code runs on goroutines' stacks, whose mappings hold many.
    if (!found && !frame.go) found = mapping_of(anchor);
    if (found && found->guard.empty() && debuggee_.mappings() != nullptr)
      found->guard = inaccessible_below(*debuggee_.mappings(), found->range.begin);
    return found;
  }

 private:
  std::optional<CStack> with_bounds(const Anchor& anchor, const Fault& fault) const {
    if (fault.alternate && !fault.alternate->disabled()) {
      const AddressRange range = fault.alternate->range();
      if (belongs(anchor, range, {})) return CStack{CStack::Kind::alternate, range, {}};
    }
    if (const auto area = area_of_thread(); area && belongs(anchor, area->stack, area->guard))
      return CStack{CStack::Kind::thread, area->stack, area->guard};
    const MappingList* mappings = debuggee_.mappings();
    if (mappings == nullptr) return std::nullopt;
    const auto main = main_stack(debuggee_.memory(), debuggee_.images(), *mappings);
    if (main && belongs(anchor, *main, {})) return CStack{CStack::Kind::main, *main, {}};
    return std::nullopt;
  }

  /// Large frames can lead over a guard into the stack of another thread.
  bool on_stack_of_another(const Anchor& anchor) const {
    std::vector<ThreadPlace> places;
    for (const ThreadInfo& thread : debuggee_.threads())
      if (const auto pointer = debuggee_.thread_pointer(thread.tid); pointer && thread.tid != tid_)
        places.push_back({thread.tid, *pointer});
    const auto areas =
        thread_areas(debuggee_.memory(), places, thread_local_bytes(debuggee_.images()));
    return std::ranges::any_of(
        areas, [&](const ThreadArea& area) { return area.stack.contains(anchor.last); });
  }

  /// The stack that C frames further out, without a switch between, began on.
  std::optional<CStack> left_by_callers(const Walk& walk, const Fault& fault) const {
    for (std::size_t i = fault.frame; i < walk.elements.size(); ++i) {
      const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[i]);
      if (frame == nullptr || frame->go || frame->crossing == Crossing::signal) break;
      if (auto found = with_bounds(anchor_of(*frame), fault)) return found;
    }
    return std::nullopt;
  }

  /// A stack pointer alone may already be in the guard.
  static bool belongs(const Anchor& anchor, AddressRange stack, AddressRange guard) {
    return stack.contains(anchor.last) || (!anchor.from_caller && guard.contains(anchor.last));
  }

  std::optional<ThreadArea> area_of_thread() const {
    const auto pointer = debuggee_.thread_pointer(tid_);
    if (!pointer || !*pointer) return std::nullopt;
    const ThreadPlace place{tid_, *pointer};
    auto areas = thread_areas(debuggee_.memory(), std::span(&place, 1),
                              thread_local_bytes(debuggee_.images()));
    if (areas.empty() || areas.front().stack.empty()) return std::nullopt;
    return areas.front();
  }

  std::optional<CStack> mapping_of(const Anchor& anchor) const {
    const MappingList* mappings = debuggee_.mappings();
    const Mapping* mapping = mappings == nullptr ? nullptr : mappings->find(anchor.last);
    if (mapping == nullptr || !mapping->writable) return std::nullopt;
    return CStack{CStack::Kind::mapping, mapping->range, {}};
  }

  const Debuggee& debuggee_;
  const std::uint64_t tid_;
};

/// Whether the instruction writes right below the stack pointer, as calls and pushes do.
bool pushes(const MemoryReader& memory, Address pc) {
  std::array<std::byte, 2> code{};
  if (!memory.read(pc, code)) return false;
  const auto first = std::to_integer<unsigned>(code[0]),
             second = std::to_integer<unsigned>(code[1]);
  const auto is_push = [](unsigned opcode) { return opcode >= 0x50 && opcode <= 0x57; };
  if (is_push(first) || first == 0x68 || first == 0x6a || first == 0xe8) return true;
  if (first == 0x41) return is_push(second);
  const unsigned extension = second >> 3 & 7;  // ff /2 calls, ff /6 pushes.
  return first == 0xff && (extension == 2 || extension == 6);
}

/// Where the kernel ends a process that has no stack left for a handler it gives no address.
std::optional<bool> overflow_without_address(const Debuggee& debuggee, const CStack& stack,
                                             const Fault& fault) {
  if (fault.sp < stack.range.begin) return true;
  if (fault.protection) return false;
  if (fault.number != SIGSEGV) return std::nullopt;
  const std::uint64_t left = fault.sp.value - stack.range.begin.value;
  if (left < kWord && pushes(debuggee.memory(), fault.pc)) return true;
  return std::nullopt;
}

bool overflows(const CStack& stack, const Fault& fault, Address address) {
  // Whatever it accesses: its frames have left the stack.
  if (fault.sp < stack.range.begin) return true;
  if (address >= stack.range.begin) return false;
  const auto lowest = checked_sub(fault.sp, kBelowStackPointer);
  return lowest && address >= *lowest;
}

}  // namespace

std::optional<StackUse> stack_use(const Debuggee& debuggee, std::uint64_t tid, const Walk& walk,
                                  const Fault& fault) {
  if (fault.frame >= walk.elements.size()) return std::nullopt;
  const auto* frame = std::get_if<PhysicalFrame>(&walk.elements[fault.frame]);
  if (frame == nullptr) return std::nullopt;
  const auto stack = StackFinder(debuggee, tid).of(walk, fault);
  if (!stack) return std::nullopt;
  StackUse use{.stack = *stack};
  const Address deepest = std::clamp(fault.sp, stack->range.begin, stack->range.end);
  use.used_bytes = stack->range.end.value - deepest.value;
  use.overflow = fault.address ? std::optional(overflows(*stack, fault, *fault.address))
                               : overflow_without_address(debuggee, *stack, fault);
  // Faults of arithmetic, and of misaligned addresses, are of no stack.
  if (fault.number != SIGSEGV && fault.number != SIGBUS) use.overflow = false;
  use.past_guard =
      use.overflow.value_or(false) && !stack->guard.empty() && fault.sp < stack->guard.begin;
  return use;
}

}  // namespace cgo
