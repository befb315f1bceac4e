#include "agent/recorder.h"

#include <atomic>

#include "agent/module_list.h"
#include "agent/next_functions.h"
#include "agent/sampling.h"
#include "agent/start.h"

namespace cgo::agent {
namespace {

struct StackRef {
  std::uint32_t stack = 0;
  std::uint64_t goroutine = 0;
};

std::uint64_t address_of(const void* block) { return reinterpret_cast<std::uint64_t>(block); }

std::uint64_t with_state(std::uint64_t address, BlockState state) {
  return address | static_cast<std::uint64_t>(state) << kStateShift;
}

void publish(Block& block, std::uint64_t address, BlockState state) {
  __atomic_store_n(&block.address, with_state(address, state), __ATOMIC_RELEASE);
}

/// While it lives, what this thread does for a signal handler goes another way.
class Busy {
 public:
  explicit Busy(ThreadMemory& thread) : thread_(thread) {
    thread_.busy = 1;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  ~Busy() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    thread_.busy = 0;
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  ThreadMemory& thread_;
};

__attribute__((noinline)) StackRef walk_stack(ThreadMemory& thread, const Caller& caller) {
  StackWalk& walk = thread.walk;
  walk.run(caller, header().most_frames);
  ++thread.entry->counters.walks;
  const std::uint32_t epoch = note_modules(walk.frames(), walk.frame_count());
  const std::uint32_t id = stack_id(walk.frames(), walk.frame_count(), walk.end(), epoch);
  if (id != 0 && walk.repeatable()) thread.known.add(caller, walk, id);
  return {id, walk.goroutine()};
}

__attribute__((always_inline)) inline StackRef stack_of(ThreadMemory& thread,
                                                        const Caller& caller) {
  if (thread.epoch != __atomic_load_n(&module_epoch, __ATOMIC_RELAXED)) {
    thread.known.forget();
    thread.walk.forget_rules();
    thread.epoch = __atomic_load_n(&module_epoch, __ATOMIC_ACQUIRE);
  }
  if (const KnownStack* known = thread.known.find(caller)) return {known->stack, known->goroutine};
  return walk_stack(thread, caller);
}

/// Writes the record of a new block, and where it is found.
__attribute__((always_inline)) inline bool write_block(std::uint32_t number, std::uint64_t address,
                                                       std::size_t bytes, std::uint32_t* word,
                                                       std::uint32_t tid, const StackRef& stack) {
  Block& block = block_at(number);
  __atomic_store_n(&block.address, 0, __ATOMIC_RELEASE);
  block.size = bytes;
  block.time = coarse_time();
  block.goroutine = stack.goroutine;
  block.stack = stack.stack;
  block.thread = tid;
  block.free_time = 0;
  publish(block, address, BlockState::live);
  if (header().sample_bytes != 0) count_in_class(address, 1);
  *word = number;
  return stack.stack != 0;
}

/// For events in which the thread's own memory cannot be used. Without a stack.
__attribute__((noinline)) void record_loose(std::uint64_t address, std::size_t bytes) {
  Counters& counters = header().loose;
  std::uint32_t* word = make_index_word(address);
  std::uint32_t number = word != nullptr ? take_batch() : 0;
  if (number != 0) {
    if (const std::uint64_t rest = block_at(number).size; rest != 0)
      give_batch(static_cast<std::uint32_t>(rest));
  } else if (word != nullptr) {
    number = new_blocks(1);
  }
  if (number == 0) {
    count(counters.lost);
    return;
  }
  write_block(number, address, bytes, word, thread_id(), {});
  count(counters.allocations);
  count(counters.allocated_bytes, bytes);
  count(counters.without_stack);
}

/// Writes down who freed the block.
inline void write_free(Block& block, std::uint32_t tid, const StackRef& stack, BlockState state) {
  block.free_time = coarse_time();
  block.free_goroutine = stack.goroutine;
  block.free_stack = stack.stack;
  block.free_thread = tid;
  publish(block, block.address & kAddressMask, state);
}

__attribute__((noinline)) void free_loose(std::uint32_t number) {
  Block& block = block_at(number);
  count(header().loose.frees);
  count(header().loose.freed_bytes, block.size);
  __atomic_store_n(&block.address, 0, __ATOMIC_RELEASE);
  block.size = 0;
  give_batch(number);
}

/// What was held back is freed now.
__attribute__((noinline)) void release(ThreadMemory& thread, Block& block) {
  const std::uint64_t address = block.address & kAddressMask;
  if (block.address != with_state(address, BlockState::held_back)) return;
  thread.held_bytes -= block.size;
  publish(block, address, BlockState::freed);
  give_to_next(reinterpret_cast<void*>(address));
}

/// The record leaves the recent frees.
inline void retire(ThreadMemory& thread, std::uint32_t number) {
  if (header().quarantine_bytes != 0) [[unlikely]]
    release(thread, block_at(number));
  thread.shelf.put(number);
}

__attribute__((always_inline)) inline void free_number(ThreadMemory& thread, std::uint32_t number,
                                                       const Caller& caller, BlockState state) {
  const Busy busy(thread);
  Block& block = block_at(number);
  Counters& counters = thread.entry->counters;
  ++counters.frees;
  counters.freed_bytes += block.size;
  write_free(block, thread.tid, stack_of(thread, caller), state);
  if (const std::uint32_t oldest = thread.shelf.keep(number)) retire(thread, oldest);
}

__attribute__((noinline)) void hold_back(ThreadMemory& thread, std::uint32_t number,
                                         const Caller& caller) {
  const std::uint64_t bytes = block_at(number).size;
  free_number(thread, number, caller, BlockState::held_back);
  const Busy busy(thread);
  thread.held_bytes += bytes;
  while (thread.held_bytes > header().quarantine_bytes) {
    const std::uint32_t oldest = thread.shelf.drop_oldest();
    if (oldest == 0) break;
    retire(thread, oldest);
  }
}

/// The record that `word` names, which it names no more; 0: none of `address`.
__attribute__((always_inline)) inline std::uint32_t take_number(std::uint64_t address,
                                                                std::uint32_t* word) {
  const std::uint32_t number = *word;
  *word = 0;
  if (header().sample_bytes != 0) count_in_class(address, -1);
  // Something else there means that the program wrote over the agent's tables.
  const bool good =
      number < __atomic_load_n(&header().blocks.used, __ATOMIC_RELAXED) / sizeof(Block) &&
      block_at(number).address == with_state(address, BlockState::live);
  return good ? number : 0;
}

__attribute__((noinline)) ThreadMemory* first_event() {
  if (header().state == State::off && !start_agent()) return nullptr;
  return make_thread();
}

/// Null when the thread's memory cannot be used now.
inline ThreadMemory* thread_for_events() {
  ThreadMemory* thread = this_thread;
  if (!usable(thread)) [[unlikely]]
    thread = first_event();
  return thread != nullptr && thread->busy == 0 ? thread : nullptr;
}

}  // namespace

void note_unknown_free() {
  if (header().state != State::recording || header().sample_bytes != 0) return;
  ThreadMemory* thread = this_thread;
  if (usable(thread) && thread->in_delete != 0) return;
  if (usable(thread) && thread->busy == 0)
    ++thread->entry->counters.unknown_frees;
  else
    count(header().loose.unknown_frees);
}

namespace {

__attribute__((always_inline)) inline void allocation_event(void* block, std::size_t bytes,
                                                            const Caller& caller) {
  const bool first = !usable(this_thread);
  ThreadMemory* thread = thread_for_events();
  if (header().state != State::recording) return;
  const std::uint64_t address = address_of(block);
  if (thread == nullptr) {
    // Of what cannot be counted down, a sample has none.
    if (header().sample_bytes == 0) record_loose(address, bytes);
    return;
  }
  if (first && pass_over(bytes)) return;
  const Busy busy(*thread);
  Counters& counters = thread->entry->counters;
  if (header().sample_bytes != 0) thread->until_sample = bytes_to_next_sample(thread->random);
  std::uint32_t* word = index_word(address);
  if (word == nullptr) word = make_index_word(address);
  const std::uint32_t number = word != nullptr ? thread->shelf.take() : 0;
  if (number == 0) {
    ++counters.lost;
    return;
  }
  ++counters.allocations;
  counters.allocated_bytes += bytes;
  const StackRef stack = stack_of(*thread, caller);
  if (!write_block(number, address, bytes, word, thread->tid, stack)) ++counters.without_stack;
}

__attribute__((always_inline)) inline bool free_event(void* block, std::uint32_t* word,
                                                      const Caller& caller, bool may_hold_back) {
  const std::uint32_t number = word != nullptr ? take_number(address_of(block), word) : 0;
  if (number == 0) {
    note_unknown_free();
    return true;
  }
  ThreadMemory* thread = thread_for_events();
  if (thread == nullptr) {
    free_loose(number);
  } else if (may_hold_back && header().quarantine_bytes != 0) {
    hold_back(*thread, number, caller);
    return false;
  } else {
    free_number(*thread, number, caller, BlockState::freed);
  }
  return true;
}

}  // namespace

void record_allocation(void* block, std::size_t bytes, const Caller& caller) {
  allocation_event(block, bytes, caller);
}

bool record_free(void* block, const Caller& caller, bool may_hold_back) {
  return free_event(block, record_word(block), caller, may_hold_back);
}

void* recorded_malloc(std::size_t bytes) {
  // The record will be at hand when malloc is done.
  if (usable(this_thread)) __builtin_prefetch(&block_at(this_thread->shelf.next_free()), /*rw=*/1);
  void* block = next.malloc(bytes);
  if (block != nullptr) allocation_event(block, bytes, caller_of(__builtin_frame_address(0)));
  return block;
}

void recorded_free(void* block, std::uint32_t* word) {
  if (free_event(block, word, caller_of(__builtin_frame_address(0)), true)) give_to_next(block);
}

void unrecorded_free(void* block) {
  note_unknown_free();
  give_to_next(block);
}

Detached detach(void* block) {
  std::uint32_t* word = record_word(block);
  return {word != nullptr ? take_number(address_of(block), word) : 0};
}

void attach_again(void* block, Detached detached) {
  if (detached.number == 0) return;
  if (header().sample_bytes != 0) count_in_class(address_of(block), 1);
  if (std::uint32_t* word = index_word(address_of(block))) *word = detached.number;
}

void free_detached(Detached detached, const Caller& caller) {
  if (detached.number == 0) return note_unknown_free();
  if (ThreadMemory* thread = thread_for_events())
    free_number(*thread, detached.number, caller, BlockState::freed);
  else
    free_loose(detached.number);
}

namespace {

/// Whose word names it still: a thread that is about to free it has taken that.
void forget_live(std::uint32_t number, Block& block) {
  const std::uint64_t address = block.address & kAddressMask;
  std::uint32_t* word = index_word(address);
  std::uint32_t named = number;
  if (word == nullptr ||
      !__atomic_compare_exchange_n(word, &named, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return;
  if (header().sample_bytes != 0) count_in_class(address, -1);
  free_loose(number);
}

/// It stays where recent frees are kept, as one of nothing.
void forget_freed(Block& block, std::uint64_t value) {
  if (!__atomic_compare_exchange_n(&block.address, &value, 0, false, __ATOMIC_ACQ_REL,
                                   __ATOMIC_RELAXED))
    return;
  const std::uint64_t address = value & kAddressMask;
  if (value == with_state(address, BlockState::held_back))
    give_to_next(reinterpret_cast<void*>(address));
}

}  // namespace

void forget_blocks() {
  const std::uint64_t used = __atomic_load_n(&header().blocks.used, __ATOMIC_ACQUIRE);
  for (std::uint64_t number = 1; number < used / sizeof(Block); ++number) {
    Block& block = block_at(static_cast<std::uint32_t>(number));
    const std::uint64_t value = __atomic_load_n(&block.address, __ATOMIC_ACQUIRE);
    const auto state = static_cast<BlockState>(value >> kStateShift);
    if (state == BlockState::live) forget_live(static_cast<std::uint32_t>(number), block);
    if (state == BlockState::freed || state == BlockState::held_back) forget_freed(block, value);
  }
}

void release_quarantine(ThreadMemory& thread) {
  const Busy busy(thread);
  if (thread.held_bytes == 0) return;
  while (const std::uint32_t oldest = thread.shelf.drop_oldest()) retire(thread, oldest);
}

}  // namespace cgo::agent
