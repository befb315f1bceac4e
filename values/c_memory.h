#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "heap/c_heap.h"
#include "heap/thread_areas.h"
#include "target/debuggee.h"
#include "values/value_context.h"

namespace cgo {

/// Tells what addresses outside of Go are to C, at one stop: blocks of the C library's heap, stacks
/// and thread-local storage of threads. Asks the debuggee for its threads when it needs them first.
/// Not thread-safe; `debuggee` must outlive it.
class CMemory {
 public:
  explicit CMemory(const Debuggee& debuggee) : debuggee_(debuggee) {}

  std::optional<AddressDescription> in_heap(Address address);
  std::optional<AddressDescription> of_thread(Address address);
  /// All heaps of C libraries that are known; kept as long as this.
  std::span<const std::unique_ptr<CHeap>> heaps();
  struct Threads {
    std::vector<ThreadPlace> places;
    bool all = true;  ///< None is missing.
    std::vector<ThreadArea> areas;
    AddressRange main_stack;
    std::optional<std::uint64_t> main_thread;
  };
  const Threads& threads();
  /// Its mapping, by name and permissions.
  std::optional<AddressDescription> in_mapping(Address address) const;

 private:
  void find_heaps();
  void find_main_stack(Threads& threads) const;
  AddressDescription on_stack(std::optional<std::uint64_t> tid, AddressRange stack,
                              Address address) const;

  const Debuggee& debuggee_;
  std::optional<Threads> threads_;
  bool searched_ = false;
  std::vector<std::unique_ptr<CHeap>> heaps_;
};

}  // namespace cgo
