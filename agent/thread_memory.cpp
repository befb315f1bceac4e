#include "agent/thread_memory.h"

#include <pthread.h>

#include "agent/kernel.h"
#include "agent/module_list.h"
#include "agent/sampling.h"

namespace cgo::agent {

__thread ThreadMemory* this_thread;

namespace {

pthread_key_t end_key;
bool has_key = false;

void end_thread(void* data) {
  auto* thread = static_cast<ThreadMemory*>(data);
  this_thread = kEndedThread;
  release_quarantine(*thread);
  thread->shelf.give_all();
  give_back(*thread->entry);
}

std::uint64_t shelf_bytes() { return header().kept_frees * sizeof(std::uint32_t); }

/// Fresh memory for an entry; null when short.
ThreadMemory* build(Thread& entry) {
  void* at = private_pages(sizeof(ThreadMemory) + shelf_bytes());
  if (at == nullptr) return nullptr;
  note_memory(at, sizeof(ThreadMemory) + shelf_bytes());
  // Fresh pages are zero, as its members want it: writing all of them would make them resident.
  auto* thread = static_cast<ThreadMemory*>(at);
  thread->entry = &entry;
  thread->shelf.use(reinterpret_cast<std::uint32_t*>(thread + 1), header().kept_frees);
  entry.private_state = reinterpret_cast<std::uint64_t>(thread);
  return thread;
}

/// How the words of a walk fall into runs within one page; 0 when there are too many.
unsigned page_runs(const StackWalk& walk, std::uint8_t (&lengths)[KnownStack::kMostRuns]) {
  constexpr unsigned kPageBits = 12, kLongest = 255;
  unsigned runs = 0;
  std::uint64_t last = 0;
  for (unsigned i = 0; i < walk.word_count(); ++i) {
    const std::uint64_t page = reinterpret_cast<std::uint64_t>(walk.words()[i].at) >> kPageBits;
    if (runs == 0 || page != last || lengths[runs - 1] == kLongest) {
      if (runs == KnownStack::kMostRuns) return 0;
      lengths[runs++] = 0;
    }
    ++lengths[runs - 1];
    last = page;
  }
  return runs;
}

}  // namespace

void KnownStacks::add(const Caller& caller, const StackWalk& walk, std::uint32_t stack) {
  std::uint8_t lengths[KnownStack::kMostRuns];
  const unsigned runs = page_runs(walk, lengths);
  if (runs == 0) return;
  const unsigned set = set_of(caller);
  KnownStack& known = known_[set][victim_[set]];
  victim_[set] ^= 1;
  known.cfa = 0;
  for (unsigned i = 0; i < runs; ++i) known.runs[i] = lengths[i];
  Word* words = known.own;
  if (walk.word_count() > KnownStack::kOwnWords) {
    const unsigned large = large_next_++ % kLarge;
    KnownStack* owner = large_owner_[large];
    if (owner != nullptr && owner->words == large_[large]) owner->cfa = 0;
    large_owner_[large] = &known;
    words = large_[large];
  }
  for (unsigned i = 0; i < walk.word_count(); ++i) words[i] = walk.words()[i];
  known.words = words;
  known.run_count = runs;
  known.stack = stack;
  known.goroutine = walk.goroutine();
  known.return_address = caller.return_address;
  known.cfa = caller.cfa;
}

void KnownStacks::forget() {
  for (auto& set : known_)
    for (KnownStack& known : set) known.cfa = 0;
}

bool RecordShelf::refill() {
  std::uint32_t number = take_batch();
  if (number != 0) {
    for (; number != 0 && free_count_ < kFree;
         number = static_cast<std::uint32_t>(block_at(number).size))
      free_[free_count_++] = number;
    return true;
  }
  const std::uint32_t first = new_blocks(kBatch);
  if (first == 0) return false;
  // The lowest comes out first: neighbours in time are neighbours in memory.
  for (unsigned i = kBatch; i > 0; --i) free_[free_count_++] = first + i - 1;
  return true;
}

void RecordShelf::give(unsigned count) {
  if (count == 0) return;
  std::uint32_t next = 0;
  for (unsigned i = 0; i < count; ++i) {
    next = free_[--free_count_];
    Block& block = block_at(next);
    __atomic_store_n(&block.address, 0, __ATOMIC_RELEASE);
    block.size = i == 0 ? 0 : free_[free_count_ + 1];
  }
  give_batch(next);
}

void RecordShelf::give_half() { give(kBatch); }

void RecordShelf::give_all() {
  while (free_count_ > 0) give(free_count_ < kBatch ? free_count_ : kBatch);
}

std::uint32_t RecordShelf::drop_oldest() {
  for (std::uint32_t i = 0; i <= mask_; ++i) {
    std::uint32_t& slot = kept_[(next_ + i) & mask_];
    if (slot == 0) continue;
    const std::uint32_t number = slot;
    slot = 0;
    return number;
  }
  return 0;
}

void RecordShelf::abandon() {
  free_count_ = next_ = 0;
  for (std::uint32_t i = 0; i <= mask_; ++i) kept_[i] = 0;
}

bool prepare_threads() {
  has_key = pthread_key_create(&end_key, end_thread) == 0;
  return has_key;
}

ThreadMemory* make_thread() {
  if (this_thread == kEndedThread || !has_key) return nullptr;
  const std::uint32_t tid = thread_id();
  Thread* entry = take_thread(tid);
  if (entry == nullptr) return nullptr;
  auto* thread = reinterpret_cast<ThreadMemory*>(entry->private_state);
  if (thread != nullptr) {
    thread->known.forget();
    thread->walk.start_thread();
  } else if ((thread = build(*entry)) == nullptr) {
    give_back(*entry);
    return nullptr;
  }
  thread->epoch = module_epoch;
  thread->tid = tid;
  thread->random = coarse_time() ^ (std::uint64_t{tid} << 32) ^ 0x9E3779B97F4A7C15u;
  thread->until_sample = bytes_to_next_sample(thread->random);
  thread->busy = 1;  // The next call may allocate.
  this_thread = thread;
  pthread_setspecific(end_key, thread);
  thread->busy = 0;
  return thread;
}

void restart_threads() {
  auto* entries = reinterpret_cast<Thread*>(header().threads.address);
  for (std::uint64_t i = 1; i < header().threads.used / sizeof(Thread); ++i) {
    auto* thread = reinterpret_cast<ThreadMemory*>(entries[i].private_state);
    if (thread == nullptr) continue;
    thread->held_bytes = 0;
    thread->until_sample = bytes_to_next_sample(thread->random);
  }
}

void keep_only_this_thread() {
  Header& h = header();
  for (std::uint64_t i = 1; i < h.threads.used / sizeof(Thread); ++i) {
    Thread& entry = reinterpret_cast<Thread*>(h.threads.address)[i];
    auto* thread = reinterpret_cast<ThreadMemory*>(entry.private_state);
    if (thread == nullptr || entry.state != ThreadState::alive) continue;
    if (thread == this_thread) {
      entry.tid = thread->tid = thread_id();
      continue;
    }
    thread->shelf.abandon();
    give_back(entry);
  }
}

}  // namespace cgo::agent
