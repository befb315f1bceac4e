#include "agent/tables.h"

#include <atomic>
#include <cstddef>

#include "agent/kernel.h"

// In the data of the file and not zero, so that every core has it.
alignas(4096) cgo::agent::Header lldb_cgo_agent_tables
    __attribute__((visibility("default"), used)) = {
        .magic = "lldb-cgo agent\n",
        .version = cgo::agent::kFormatVersion,
        .header_bytes = sizeof(cgo::agent::Header),
};

namespace cgo::agent {
namespace {

constexpr std::uint64_t kStep = 1u << 20;
constexpr std::uint64_t kStackUnit = 8;
constexpr std::uint32_t kBuckets = 1u << 18;

std::uint32_t* stack_buckets;
// First record of the top batch, and in the upper half a number that changes with every update.
std::uint64_t free_batches;

/// Reserves what it can get of `bytes`, down to 1/256 of it.
bool reserve(Table& table, std::uint64_t bytes, std::uint32_t entry_bytes) {
  table.entry_bytes = entry_bytes;
  for (std::uint64_t size = bytes; size >= bytes / 256; size /= 2) {
    void* at = reserve_pages(size);
    if (at == nullptr) continue;
    table.reserved = size;
    table.address = reinterpret_cast<std::uint64_t>(at);
    return true;
  }
  return false;
}

bool commit_to(Table& table, std::uint64_t end) {
  std::uint64_t have = __atomic_load_n(&table.committed, __ATOMIC_ACQUIRE);
  if (end <= have) return true;
  const std::uint64_t want = (end + kStep - 1) / kStep * kStep;
  if (want > table.reserved || !commit_pages(table.address + have, want - have)) return false;
  while (have < want && !__atomic_compare_exchange_n(&table.committed, &have, want, false,
                                                     __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  return true;
}

/// The offset of `bytes` more bytes, or 0: every table begins with an entry that is none.
std::uint64_t extend(Table& table, std::uint64_t bytes) {
  std::uint64_t at = __atomic_load_n(&table.used, __ATOMIC_RELAXED);
  do {
    if (!commit_to(table, at + bytes)) return 0;
  } while (!__atomic_compare_exchange_n(&table.used, &at, at + bytes, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
  return at;
}

/// Leaves the first entry out.
bool begin(Table& table, std::uint64_t first) {
  if (!commit_to(table, first)) return false;
  table.used = first;
  return true;
}

Stack* stack_at(std::uint32_t id) {
  return reinterpret_cast<Stack*>(header().stacks.address + id * kStackUnit);
}

std::uint64_t* frames_of(Stack* stack) { return reinterpret_cast<std::uint64_t*>(stack + 1); }

bool same(Stack* stack, const Stack& wanted, const std::uint64_t* frames) {
  if (stack->hash != wanted.hash || stack->module_epoch != wanted.module_epoch ||
      stack->frame_count != wanted.frame_count || stack->end != wanted.end)
    return false;
  return __builtin_memcmp(frames_of(stack), frames, wanted.frame_count * sizeof(*frames)) == 0;
}

std::uint32_t hash_of(const std::uint64_t* frames, unsigned count) {
  std::uint64_t hash = count;
  for (unsigned i = 0; i < count; ++i) {
    hash = (hash ^ frames[i]) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

std::uint32_t write_stack(const Stack& wanted, const std::uint64_t* frames) {
  const std::uint64_t bytes = wanted.frame_count * sizeof(*frames);
  const std::uint64_t offset = extend(header().stacks, sizeof(Stack) + bytes);
  if (offset == 0) return 0;
  const auto id = static_cast<std::uint32_t>(offset / kStackUnit);
  Stack* stack = stack_at(id);
  *stack = wanted;
  __builtin_memcpy(frames_of(stack), frames, bytes);
  __atomic_store_n(&stack->ready, 1, __ATOMIC_RELEASE);
  return id;
}

Clock clock_now() {
  timespec monotonic{}, real{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &monotonic);
  clock_gettime(CLOCK_REALTIME_COARSE, &real);
  const auto ns = [](const timespec& at) {
    return static_cast<std::uint64_t>(at.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(at.tv_nsec);
  };
  return {.monotonic_ns = ns(monotonic), .realtime_ns = ns(real)};
}

}  // namespace

bool make_tables() {
  Header& h = header();
  constexpr std::size_t kBucketBytes = kBuckets * sizeof(std::uint32_t);
  stack_buckets = static_cast<std::uint32_t*>(private_pages(kBucketBytes));
  if (stack_buckets == nullptr) return false;
  const bool reserved = reserve(h.memory, std::uint64_t{1} << 24, sizeof(Memory)) &&
                        reserve(h.blocks, std::uint64_t{1} << 33, sizeof(Block)) &&
                        reserve(h.stacks, std::uint64_t{1} << 32, kStackUnit) &&
                        reserve(h.modules, std::uint64_t{1} << 24, sizeof(Module)) &&
                        reserve(h.threads, std::uint64_t{1} << 24, sizeof(Thread));
  if (!reserved) return false;
  h.pid = process_id();
  h.start = clock_now();
  if (!begin(h.memory, sizeof(Memory))) return false;
  note_memory(stack_buckets, kBucketBytes);
  return begin(h.blocks, sizeof(Block)) && begin(h.stacks, sizeof(Stack)) &&
         begin(h.modules, sizeof(Module)) && begin(h.threads, sizeof(Thread));
}

void restart_clock() { header().start = clock_now(); }

void note_memory(const void* address, std::size_t bytes) {
  const std::uint64_t at = extend(header().memory, sizeof(Memory));
  if (at == 0) return;
  auto* entry = reinterpret_cast<Memory*>(header().memory.address + at);
  __atomic_store_n(&entry->bytes, bytes, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->address, reinterpret_cast<std::uint64_t>(address), __ATOMIC_RELEASE);
}

std::uint32_t new_blocks(std::uint32_t count) {
  const std::uint64_t at = extend(header().blocks, count * sizeof(Block));
  return static_cast<std::uint32_t>(at / sizeof(Block));
}

void give_batch(std::uint32_t first) {
  std::uint32_t last = first;
  while (block_at(last).size != 0) last = static_cast<std::uint32_t>(block_at(last).size);
  // Batches hang together by the record's time, which nobody reads while it is empty.
  std::uint64_t top = __atomic_load_n(&free_batches, __ATOMIC_ACQUIRE), next;
  do {
    block_at(first).time = static_cast<std::uint32_t>(top);
    next = (((top >> 32) + 1) << 32) | first;
  } while (!__atomic_compare_exchange_n(&free_batches, &top, next, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
}

std::uint32_t take_batch() {
  std::uint64_t top = __atomic_load_n(&free_batches, __ATOMIC_ACQUIRE), next;
  do {
    if (static_cast<std::uint32_t>(top) == 0) return 0;
    // Another thread may have taken it and written over it: then the number has changed.
    const std::uint64_t below =
        __atomic_load_n(&block_at(static_cast<std::uint32_t>(top)).time, __ATOMIC_RELAXED);
    next = (((top >> 32) + 1) << 32) | static_cast<std::uint32_t>(below);
  } while (!__atomic_compare_exchange_n(&free_batches, &top, next, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE));
  return static_cast<std::uint32_t>(top);
}

std::uint32_t stack_id(const std::uint64_t* frames, unsigned count, StackEnd end,
                       std::uint32_t epoch) {
  Stack wanted{.next = 0,
               .hash = hash_of(frames, count),
               .module_epoch = epoch,
               .frame_count = static_cast<std::uint16_t>(count),
               .end = end,
               .ready = 0};
  std::uint32_t* bucket = &stack_buckets[wanted.hash % kBuckets];
  std::uint32_t head = __atomic_load_n(bucket, __ATOMIC_ACQUIRE), written = 0, searched = 0;
  while (true) {
    for (std::uint32_t id = head; id != searched; id = stack_at(id)->next)
      if (same(stack_at(id), wanted, frames)) return id;
    searched = head;
    if (written == 0) written = write_stack(wanted, frames);
    if (written == 0) return 0;
    stack_at(written)->next = head;
    if (__atomic_compare_exchange_n(bucket, &head, written, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
      return written;
  }
}

Thread* take_thread(std::uint32_t tid) {
  auto* all = reinterpret_cast<Thread*>(header().threads.address);
  const auto claim = [tid](Thread& thread, ThreadState from) {
    if (!std::atomic_ref(thread.state).compare_exchange_strong(from, ThreadState::alive))
      return false;
    thread.tid = tid;
    return true;
  };
  const std::uint64_t used = __atomic_load_n(&header().threads.used, __ATOMIC_ACQUIRE);
  for (std::uint64_t i = 1; i < used / sizeof(Thread); ++i)
    if (claim(all[i], ThreadState::ended)) return &all[i];
  const std::uint64_t at = extend(header().threads, sizeof(Thread));
  if (at == 0) return nullptr;
  Thread& fresh = all[at / sizeof(Thread)];
  claim(fresh, ThreadState::unused);
  return &fresh;
}

void give_back(Thread& thread) {
  std::atomic_ref(thread.state).store(ThreadState::ended, std::memory_order_release);
}

Module* new_module() {
  const std::uint64_t at = extend(header().modules, sizeof(Module));
  return at == 0 ? nullptr : reinterpret_cast<Module*>(header().modules.address + at);
}

std::uint32_t module_count() {
  return static_cast<std::uint32_t>(__atomic_load_n(&header().modules.used, __ATOMIC_ACQUIRE) /
                                    sizeof(Module));
}

Module& module_at(std::uint32_t number) {
  return reinterpret_cast<Module*>(header().modules.address)[number];
}

}  // namespace cgo::agent
