#pragma once
// What is written down when the program allocates and frees. Never allocates, never waits.

#include <cstddef>
#include <cstdint>

#include "agent/block_index.h"
#include "agent/stack_walk.h"
#include "agent/thread_memory.h"

namespace cgo::agent {

/// The caller of the function whose frame address this is.
inline Caller caller_of(void* frame) {
  const auto at = reinterpret_cast<std::uint64_t>(frame);
  return {.cfa = at + 16,
          .return_address = *reinterpret_cast<const std::uint64_t*>(at + 8),
          .bp_at = at};
}

/// Whether this allocation is none that is recorded; in exact mode none is passed over.
inline bool pass_over(std::size_t bytes) {
  ThreadMemory* thread = this_thread;
  return usable(thread) && (thread->until_sample -= static_cast<std::int64_t>(bytes)) >= 0;
}

/// The word of the index that names the record of `block`; null when there is none.
inline std::uint32_t* record_word(const void* block) {
  const auto address = reinterpret_cast<std::uint64_t>(block);
  if (header().sample_bytes != 0 && recorded_in_class[class_of(address)] == 0) return nullptr;
  std::uint32_t* word = index_word(address);
  return word != nullptr && *word != 0 ? word : nullptr;
}

/// `block` was given to the program. Only for blocks that are not passed over.
void record_allocation(void* block, std::size_t bytes, const Caller& caller);

/// The program gives `block` back: called before it is. False when it is held back, in quarantine:
/// then nothing more is to be done with it.
bool record_free(void* block, const Caller& caller, bool may_hold_back = false);

/// Drops all records, live and freed, and frees what is held back. Other threads may be anywhere.
void forget_blocks();

/// malloc and free with a record: the hooks jump here, so that the program is their caller.
__attribute__((noinline)) void* recorded_malloc(std::size_t bytes);
/// `word` is the block's record_word.
__attribute__((noinline)) void recorded_free(void* block, std::uint32_t* word);

void unrecorded_free(void* block);
/// A block without record is freed.
void note_unknown_free();

/// A block whose record is taken out for as long as realloc works on it.
struct Detached {
  std::uint32_t number = 0;
};
Detached detach(void* block);
/// realloc failed: the block is as it was.
void attach_again(void* block, Detached detached);
/// realloc gave the block back, or made another of it.
void free_detached(Detached detached, const Caller& caller);

}  // namespace cgo::agent
