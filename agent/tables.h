#pragma once
// The tables that are read from outside. All functions may be called by any thread, and from signal
// handlers; none takes a lock. They fail when memory is short, and never otherwise.

#include <cstddef>
#include <ctime>

#include "agent/records.h"

extern "C" cgo::agent::Header lldb_cgo_agent_tables;

namespace cgo::agent {

inline Header& header() { return lldb_cgo_agent_tables; }

/// Some milliseconds coarse: reading the processor's counter would cost more than all the rest.
inline std::uint64_t coarse_time() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// Reserves the tables; called once, before all others. False when the address space is too small.
bool make_tables();

/// Recording begins now.
void restart_clock();

/// Says that memory is the agent's own, for good.
void note_memory(const void* address, std::size_t bytes);

/// A record is named by its number. `count` records, consecutive from the result, never used
/// before; 0 when there are none.
std::uint32_t new_blocks(std::uint32_t count);
inline Block& block_at(std::uint32_t number) {
  return reinterpret_cast<Block*>(header().blocks.address)[number];
}

/// Stack of batches of free records; a batch is linked through Block::size.
void give_batch(std::uint32_t first);
std::uint32_t take_batch();  ///< 0: there is none.

/// The id of a stack, which is written down when it is new; 0 when memory is short.
std::uint32_t stack_id(const std::uint64_t* frames, unsigned count, StackEnd end,
                       std::uint32_t epoch);

/// A thread's entry, with its private memory where an earlier thread left it; null when short.
Thread* take_thread(std::uint32_t tid);
void give_back(Thread& thread);

/// Room for one more module; null when short.
Module* new_module();
std::uint32_t module_count();
Module& module_at(std::uint32_t number);

inline void count(std::uint64_t& counter, std::uint64_t by = 1) {
  __atomic_fetch_add(&counter, by, __ATOMIC_RELAXED);
}

}  // namespace cgo::agent
