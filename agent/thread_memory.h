#pragma once
// What each thread has to itself: everything that the fast path touches besides the records.

#include <cstdint>

#include "agent/stack_walk.h"
#include "agent/tables.h"

namespace cgo::agent {

/// A stack that was walked before: while `words` are equal, it is that one.
struct KnownStack {
  static constexpr unsigned kOwnWords = 20, kMostRuns = 24;
  std::uint64_t cfa = 0, return_address = 0;
  std::uint64_t goroutine = 0;
  std::uint32_t stack = 0;
  std::uint32_t run_count = 0;
  const Word* words = nullptr;
  std::uint8_t runs[kMostRuns];  ///< How many words in a row lie in one page.
  Word own[kOwnWords];
};

/// The stacks that a thread was seen with, by stack pointer and return address.
class KnownStacks {
 public:
  /// Null when this stack is not known.
  const KnownStack* find(const Caller& caller) {
    KnownStack* set = known_[set_of(caller)];
    if (matches(set[0], caller)) return &set[0];
    return matches(set[1], caller) ? &set[1] : nullptr;
  }
  void add(const Caller& caller, const StackWalk& walk, std::uint32_t stack);
  void forget();

 private:
  static constexpr unsigned kSets = 128, kWays = 2, kLarge = 32;

  static unsigned set_of(const Caller& caller) {
    const std::uint64_t mixed =
        (caller.cfa >> 4) ^ (caller.return_address >> 1) ^ (caller.return_address >> 9);
    return mixed % kSets;
  }
  CGO_PLAIN_READS static bool matches(const KnownStack& known, const Caller& caller) {
    if (known.cfa != caller.cfa || known.return_address != caller.return_address) return false;
    // A word is only looked at when those before it, which led to it, are as they were; but within
    // a page there is nothing to fear, and no need to decide after each.
    const Word* word = known.words;
    for (std::uint32_t run = 0; run < known.run_count; ++run) {
      std::uint64_t different = 0;
      for (const Word* end = word + known.runs[run]; word != end; ++word)
        different |= *word->at ^ word->value;
      if (different != 0) return false;
    }
    return true;
  }

  KnownStack known_[kSets][kWays];
  std::uint8_t victim_[kSets] = {};
  Word large_[kLarge][kMostWords];
  KnownStack* large_owner_[kLarge] = {};
  unsigned large_next_ = 0;
};

/// Numbers of records: those free to use, and the recent frees in their order.
class RecordShelf {
 public:
  /// 0 when memory is short.
  std::uint32_t take() {
    if (free_count_ == 0 && !refill()) return 0;
    return free_[--free_count_];
  }
  /// What `take` will most likely give.
  std::uint32_t next_free() const { return free_[free_count_ != 0 ? free_count_ - 1 : 0]; }
  void put(std::uint32_t number) {
    if (free_count_ == kFree) give_half();
    free_[free_count_] = number;
    ++free_count_;
  }
  /// Keeps a freed record; what was kept longest goes out, 0 when there is room.
  std::uint32_t keep(std::uint32_t number) {
    const std::uint32_t oldest = kept_[next_];
    kept_[next_] = number;
    next_ = (next_ + 1) & mask_;
    return oldest;
  }
  /// The record kept longest, which is kept no more; 0 when none is.
  std::uint32_t drop_oldest();
  /// `kept` has room for `count`, a power of two.
  void use(std::uint32_t* kept, std::uint32_t count) {
    kept_ = kept;
    mask_ = count - 1;
  }
  /// All free numbers go to other threads; the kept ones stay.
  void give_all();
  /// Forgets everything: the thread was in the middle of something when it ended.
  void abandon();

 private:
  static constexpr unsigned kFree = 128, kBatch = 64;
  bool refill();
  void give_half();
  void give(unsigned count);

  std::uint32_t free_count_ = 0;
  std::uint32_t next_ = 0, mask_ = 0;
  std::uint32_t* kept_ = nullptr;
  std::uint32_t free_[kFree];
};

struct ThreadMemory {
  std::int64_t until_sample;  ///< Bytes; negative: the next allocation is recorded.
  std::uint32_t busy = 0;     ///< A signal handler came in between.
  std::uint32_t tid = 0;
  std::uint32_t in_delete = 0;  ///< The allocator's operator delete may call free: no event.
  std::uint32_t epoch = 0;
  Thread* entry = nullptr;
  std::uint64_t held_bytes = 0;  ///< In quarantine.
  std::uint64_t random = 0;
  RecordShelf shelf;
  KnownStacks known;
  StackWalk walk;
};

/// The memory of this thread; kNoThread before its first event, kEndedThread after its last.
extern __thread ThreadMemory* this_thread __attribute__((tls_model("initial-exec")));
inline ThreadMemory* const kNoThread = nullptr;
inline ThreadMemory* const kEndedThread = reinterpret_cast<ThreadMemory*>(1);
inline bool usable(const ThreadMemory* thread) {
  return reinterpret_cast<std::uintptr_t>(thread) > 1;
}

/// Called once, before threads are made.
bool prepare_threads();
/// Makes this thread's memory; null when there is none, or when the thread has ended.
ThreadMemory* make_thread();
/// Of all threads: nothing is held back, and the options may be others than they were.
void restart_threads();
/// In the child of a fork: the other threads are not there.
void keep_only_this_thread();
/// Called for every thread that ends, before its record shelf is given away.
void release_quarantine(ThreadMemory& thread);

}  // namespace cgo::agent
