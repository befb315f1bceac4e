#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "heap/thread_areas.h"
#include "owners/block_graph.h"
#include "target/debuggee.h"

namespace cgo {

/// A word of memory outside of all heaps, or a register.
struct CWord {
  HolderKind kind = HolderKind::mapping;
  Address at;                ///< 0 for a register.
  std::uint64_t thread = 0;  ///< The tid, of stacks, thread-local variables and registers.
  std::uint64_t value = 0;
};

/// Where C can keep a pointer.
struct CWordSources {
  const Debuggee& debuggee;
  std::span<const ThreadArea> areas;  ///< Of the threads that pthread_create made.
  std::optional<AddressRange> main_stack;
  std::optional<std::uint64_t> main_thread;
  /// Memory that is looked at otherwise, or by nobody: heaps, an agent's tables. By rising begin.
  std::span<const AddressRange> elsewhere;
};

/// What could not be looked at; empty where everything was.
struct CWordGaps {
  std::uint64_t missing_bytes = 0;  ///< Of memory that the process could write.
  std::vector<std::string> reasons;
};

/// Visits every aligned word but zeros of writable images, of threads' stacks from their stack
/// pointers on, of thread-local variables, of registers, and of all other memory that can be
/// written, or is protected and of no file. Needs the debuggee's mappings.
CWordGaps for_each_c_word(const CWordSources& sources,
                          const std::function<void(const CWord&)>& visit);

/// Reads `range` in large pieces and visits its aligned words but zeros with their addresses;
/// returns how many bytes are missing.
std::uint64_t for_each_word(const MemoryReader& memory, AddressRange range,
                            const std::function<void(Address at, std::uint64_t value)>& visit);

}  // namespace cgo
